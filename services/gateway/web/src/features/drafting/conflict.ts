import { get } from "react-hook-form";
import { type Content, type DraftValues, Reading, valuesOf } from "./draft";

/** What two versions can differ in, in the sequence of the form. */
export const COMPARED = [
  "product.name",
  "product.specification",
  "product.category",
  "product.sku",
  "product.reference_prices",
  "terms.title",
  "terms.target_units",
  "terms.capacity_units",
  "terms.unit_price_minor",
  "terms.currency",
  "terms.min_units",
  "terms.max_units",
  "terms.close_at",
  "terms.fee_basis_points",
  "terms.delivery_window_days",
  "terms.delivery_model",
  "terms.delivery_terms",
  "terms.refund_terms",
  "supplier_ids",
  "visibility",
] as const;

export type Compared = (typeof COMPARED)[number];

export interface Difference {
  path: Compared;
  /** Whether this form changed the field, compared with what it started from. */
  byMe: boolean;
}

/** The fields in which what is typed differs from what is stored. */
export function differences(mine: DraftValues, start: Content, stored: Content): Difference[] {
  const typed = evenly(mine, start);
  const [from, theirs] = [valuesOf(start), valuesOf(stored)];
  return COMPARED.filter((path) => !same(typed, theirs, path)).map((path) => ({
    path,
    byMe: !same(typed, from, path),
  }));
}

export function sameContent(one: Content, other: Content): boolean {
  const [left, right] = [valuesOf(one), valuesOf(other)];
  return COMPARED.every((path) => same(left, right, path));
}

/** What is typed, written as what is stored is: 549 and 549.00 are no difference. */
function evenly(mine: DraftValues, start: Content): DraftValues {
  const { body, faults } = new Reading(mine, start.terms.close_at);
  return faults.length === 0 ? valuesOf(body) : mine;
}

function same(one: DraftValues, other: DraftValues, path: Compared): boolean {
  return written(one, path) === written(other, path);
}

/** A field's value as text. */
export function written(values: DraftValues, path: Compared): string {
  if (path === "product.reference_prices") {
    return values.product.reference_prices
      .map((price) => `${price.amount_minor} ${price.currency}, ${price.source}, ${price.seen_on}`)
      .join("\n");
  }
  const value: unknown = get(values, path);
  return Array.isArray(value) ? value.join("\n") : String(value).trim();
}
