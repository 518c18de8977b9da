"""Which mails there are and how facts are put into words: no database, no templates, no clock."""
