import { useRail } from "@/shared/rail";

/** What the payment rail is and is not, in the words that every place shows. */
export function RailWords() {
  const { data } = useRail();
  if (data === undefined) return null;
  return (
    <>
      {data.disclosure.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
    </>
  );
}

/** The same in one line. */
export function RailLine() {
  const { data } = useRail();
  return data?.short ?? null;
}

/** Who holds the money. */
export function RailHolder() {
  const { data } = useRail();
  return data?.holder ?? null;
}
