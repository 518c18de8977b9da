/** Amounts, percentages and moments as people type them, and back. Exact: nothing passes through binary fractions. */

const AMOUNT = /^(\d{1,13})(?:\.(\d+))?$/;
const THOUSANDS = /,(?=\d{3}(?:\D|$))/g;

/** How many digits a currency has behind the point; two where its code is none. */
function digitsOf(currency: string): number {
  if (!/^[a-z]{3}$/i.test(currency)) return 2;
  const format = new Intl.NumberFormat("en-US", { style: "currency", currency });
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}

/** 54900 of usd → 549.00 */
export function writeAmount(minor: number, currency: string): string {
  const digits = digitsOf(currency);
  const text = BigInt(minor)
    .toString()
    .padStart(digits + 1, "0");
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** 549, 549.00 or 1,098.5 of usd in minor units; null when it is no amount of that currency. */
export function readAmount(text: string, currency: string): number | null {
  return readFixed(text, digitsOf(currency));
}

/** 2.75 → 275; null when it has more than two digits behind the point or is no number. */
export function readHundredths(text: string): number | null {
  return readFixed(text.replace(/\s*%$/, ""), 2);
}

function readFixed(text: string, digits: number): number | null {
  const found = AMOUNT.exec(text.trim().replace(THOUSANDS, ""));
  const fraction = found?.[2] ?? "";
  if (found === null || fraction.length > digits) return null;
  return Number(`${found[1]}${fraction.padEnd(digits, "0")}`);
}

const MILLISECONDS_A_MINUTE = 60_000;

/** A moment in the reader's own time, as the browser's field for it wants it. */
export function localMoment(moment: string): string {
  const date = new Date(moment);
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * MILLISECONDS_A_MINUTE);
  return shifted.toISOString().slice(0, 19).replace(/:00$/, "");
}

/** The moment that was typed; the stored one to the letter where it was not touched. */
export function momentOf(local: string, stored: string | null): string | null {
  if (stored !== null && localMoment(stored) === local.replace(/(T\d\d:\d\d):00$/, "$1"))
    return stored;
  const date = new Date(local);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
