import { CardRefused, ConnectionLost } from "@/api/problem";

export interface CardDetails {
  number: string;
  expiryMonth: number;
  expiryYear: number;
  cvc: string;
}

interface Processor {
  apiBase: string;
  publishableKey: string;
}

interface TokenAnswer {
  id?: string;
  error?: { code?: string; param?: string };
}

/**
 * A confirmation token for these details, straight from the stand-in, as Stripe's own form gets
 * one from Stripe. Throws CardRefused for details it does not take, ConnectionLost for no answer.
 */
export async function createConfirmationToken(
  processor: Processor,
  card: CardDetails,
): Promise<string> {
  const form = new URLSearchParams({
    "payment_method_data[type]": "card",
    "payment_method_data[card][number]": card.number,
    "payment_method_data[card][exp_month]": String(card.expiryMonth),
    "payment_method_data[card][exp_year]": String(card.expiryYear),
    "payment_method_data[card][cvc]": card.cvc,
  });
  const answer = await post(processor, form);
  if (answer.id === undefined) {
    throw new CardRefused(answer.error?.code ?? "card_declined", answer.error?.param ?? null);
  }
  return answer.id;
}

async function post(processor: Processor, form: URLSearchParams): Promise<TokenAnswer> {
  try {
    const response = await fetch(`${processor.apiBase}/v1/confirmation_tokens`, {
      method: "POST",
      headers: { Authorization: `Bearer ${processor.publishableKey}` },
      body: form,
      credentials: "omit",
    });
    return (await response.json()) as TokenAnswer;
  } catch {
    throw new ConnectionLost();
  }
}

const EXPIRY = /^\s*(\d{1,2})\s*[/\-\s]\s*(\d{2}|\d{4})\s*$/;
const CENTURY = 2000;

/** Month and four-digit year of an expiry date as people write it, or null. */
export function readExpiry(text: string): { month: number; year: number } | null {
  const match = EXPIRY.exec(text);
  if (match === null) return null;
  const month = Number(match[1]);
  const year = Number(match[2]);
  if (month < 1 || month > 12) return null;
  return { month, year: year < 100 ? CENTURY + year : year };
}
