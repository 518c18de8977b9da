import type { Money } from "@/api/types";

const LOCALE = "en-US";

/** An amount of minor units as people write it; exact, without binary fractions. */
export function formatMoney(money: Money): string {
  return formatMinor(BigInt(money.amount), money.currency);
}

/** The same for an amount and a currency in any letter case, as the terms have them. */
export function formatMinor(minor: bigint, currency: string): string {
  const code = currency.toUpperCase();
  const format = new Intl.NumberFormat(LOCALE, { style: "currency", currency: code });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  const sign = minor < 0n ? "-" : "";
  const text = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  const fraction = digits > 0 ? `.${text.slice(-digits)}` : "";
  // A decimal text is formatted exactly; a number would pass through binary fractions.
  return format.format(`${sign}${whole}${fraction}` as Intl.StringNumericLiteral);
}

export function times(money: Money, count: number): Money {
  return { amount: money.amount * count, currency: money.currency };
}

export function plus(money: Money, other: Money): Money {
  return { amount: money.amount + other.amount, currency: money.currency };
}

export function minus(money: Money, other: Money): Money {
  return { amount: money.amount - other.amount, currency: money.currency };
}

export function formatCount(count: number): string {
  return new Intl.NumberFormat(LOCALE).format(count);
}

/** Basis points as a percentage: 300 → 3%. */
export function formatBasisPoints(points: number): string {
  return new Intl.NumberFormat(LOCALE, { style: "percent", maximumFractionDigits: 2 }).format(
    points / 10_000,
  );
}

/** A moment in the reader's own time, with its zone. */
export function formatMoment(moment: string): string {
  return new Intl.DateTimeFormat(LOCALE, {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
    timeZoneName: "short",
  }).format(new Date(moment));
}

export function formatDay(moment: string): string {
  return new Intl.DateTimeFormat(LOCALE, {
    year: "numeric",
    month: "short",
    day: "numeric",
  }).format(new Date(moment));
}

const MILLISECONDS_A_DAY = 86_400_000;

export function addDays(moment: string, days: number): string {
  return new Date(Date.parse(moment) + days * MILLISECONDS_A_DAY).toISOString();
}

/** The part of an id that is enough to tell two apart. */
export function shortId(id: string): string {
  return id.slice(-8);
}
