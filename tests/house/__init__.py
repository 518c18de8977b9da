"""The rules of the house, checked: code, tests, texts, words, canon."""
