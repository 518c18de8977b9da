import { keepWords, keptWords } from "@/api/keys";
import type { Content, DraftValues } from "./draft";

/** The version of a draft that a change is based on. */
export interface Base {
  content: Content;
  etag: string;
}

export interface Kept {
  values: DraftValues;
  base: Base | null;
}

/** What is typed is one person's; `about` is the campaign, or "new". */
export function nameOfKept(subjectId: string, about: string): string {
  return `draft/${subjectId}/${about}`;
}

export function keepDraft(name: string, kept: Kept): void {
  keepWords(name, kept);
}

export function keptDraft(name: string): Kept | null {
  return keptWords(name) as Kept | null;
}
