import { type FieldPath, get } from "react-hook-form";
import type { components } from "@/api/generated/schema";
import type { Campaign, Product, Terms } from "@/api/types";
import { localMoment, momentOf, readAmount, readHundredths, writeAmount } from "./writing";

export type CampaignBody = components["schemas"]["CampaignBody"];

/** What a draft tells, as the interface has it; the readiness answers are told to nobody. */
export type Content = Pick<CampaignBody, "product" | "terms" | "supplier_ids" | "visibility">;

export interface PriceValues {
  amount_minor: string;
  currency: string;
  source: string;
  seen_on: string;
}

/** A draft as it is typed: the interface's own fields, every one a text. */
export interface DraftValues {
  product: {
    name: string;
    specification: string;
    category: string;
    sku: string;
    reference_prices: PriceValues[];
  };
  terms: Record<keyof Terms, string>;
  supplier_ids: string[];
  visibility: Content["visibility"];
  readiness: Record<"owner" | "backup" | "what_fails" | "who_notices" | "what_then", string>;
}

export type DraftPath = FieldPath<DraftValues>;
export type Fault =
  | "required"
  | "whole"
  | "amount"
  | "percent"
  | "moment"
  | "day"
  | "currency"
  | "belowTarget"
  | "belowMinimum";

export const READINESS = ["owner", "backup", "what_fails", "who_notices", "what_then"] as const;
export const VISIBILITIES = ["private", "members", "open"] as const;
const UNITS_MAX = 1_000_000;
const DELIVERY_DAYS_MAX = 365;
const BASIS_POINTS_MAX = 10_000;

export const EMPTY_PRICE: PriceValues = {
  amount_minor: "",
  currency: "usd",
  source: "",
  seen_on: "",
};

export const EMPTY: DraftValues = {
  product: { name: "", specification: "", category: "", sku: "", reference_prices: [] },
  terms: {
    title: "",
    target_units: "",
    capacity_units: "",
    unit_price_minor: "",
    currency: "usd",
    min_units: "1",
    max_units: "",
    close_at: "",
    fee_basis_points: "",
    delivery_window_days: "",
    delivery_model: "",
    delivery_terms: "",
    refund_terms: "",
  },
  supplier_ids: [],
  visibility: "members",
  readiness: { owner: "", backup: "", what_fails: "", who_notices: "", what_then: "" },
};

/** The content of a campaign that staff have read. */
export function contentOf(campaign: Campaign): Content {
  return {
    product: campaign.product,
    terms: campaign.terms,
    supplier_ids: campaign.staff?.supplier_ids ?? [],
    visibility: campaign.visibility,
  };
}

/** Stored content as it would be typed. */
export function valuesOf(content: Content): DraftValues {
  const { product, terms } = content;
  return {
    product: {
      name: product.name,
      specification: product.specification,
      category: product.category,
      sku: product.sku ?? "",
      reference_prices: (product.reference_prices ?? []).map((price) => ({
        ...price,
        amount_minor: writeAmount(price.amount_minor, price.currency),
      })),
    },
    terms: {
      ...terms,
      target_units: String(terms.target_units),
      capacity_units: String(terms.capacity_units),
      unit_price_minor: writeAmount(terms.unit_price_minor, terms.currency),
      min_units: String(terms.min_units),
      max_units: terms.max_units === null ? "" : String(terms.max_units),
      close_at: localMoment(terms.close_at),
      fee_basis_points: writeAmount(terms.fee_basis_points, "usd"),
      delivery_window_days: String(terms.delivery_window_days),
    },
    supplier_ids: [...content.supplier_ids],
    visibility: content.visibility,
    readiness: { ...EMPTY.readiness },
  };
}

/** What was typed, read as the interface wants it; or what cannot be read, field by field. */
export class Reading {
  readonly faults: [DraftPath, Fault][] = [];
  readonly body: CampaignBody;

  constructor(
    private readonly values: DraftValues,
    private readonly storedCloseAt: string | null,
  ) {
    this.body = {
      product: this.product(),
      terms: this.terms(),
      supplier_ids: values.supplier_ids,
      visibility: values.visibility,
      readiness: this.readiness(),
    };
  }

  private product(): Product {
    const { sku, reference_prices } = this.values.product;
    return {
      name: this.text("product.name"),
      specification: this.text("product.specification"),
      category: this.text("product.category"),
      sku: sku.trim() === "" ? null : sku.trim(),
      reference_prices: reference_prices.map((_, index) => {
        const at = `product.reference_prices.${index}` as const;
        const currency = this.currency(`${at}.currency`);
        return {
          amount_minor: this.amount(`${at}.amount_minor`, currency),
          currency,
          source: this.text(`${at}.source`),
          seen_on: this.day(`${at}.seen_on`),
        };
      }),
    };
  }

  private terms(): Terms {
    const currency = this.currency("terms.currency");
    const terms = {
      title: this.text("terms.title"),
      target_units: this.whole("terms.target_units", UNITS_MAX),
      capacity_units: this.whole("terms.capacity_units", UNITS_MAX),
      unit_price_minor: this.amount("terms.unit_price_minor", currency),
      currency,
      min_units: this.whole("terms.min_units", UNITS_MAX),
      max_units:
        this.values.terms.max_units.trim() === "" ? null : this.whole("terms.max_units", UNITS_MAX),
      close_at: this.closeAt(),
      fee_basis_points: this.percent("terms.fee_basis_points"),
      delivery_window_days: this.whole("terms.delivery_window_days", DELIVERY_DAYS_MAX),
      delivery_model: this.text("terms.delivery_model"),
      delivery_terms: this.text("terms.delivery_terms"),
      refund_terms: this.text("terms.refund_terms"),
    };
    if (terms.capacity_units < terms.target_units) this.say("terms.capacity_units", "belowTarget");
    if (terms.max_units !== null && terms.max_units < terms.min_units) {
      this.say("terms.max_units", "belowMinimum");
    }
    return terms;
  }

  /** All of the answers or none: what is not given stays as it is stored. */
  private readiness(): NonNullable<CampaignBody["readiness"]> | null {
    const given = READINESS.some((name) => this.values.readiness[name].trim() !== "");
    if (!given) return null;
    return {
      owner: this.text("readiness.owner"),
      backup: this.text("readiness.backup"),
      what_fails: this.text("readiness.what_fails"),
      who_notices: this.text("readiness.who_notices"),
      what_then: this.text("readiness.what_then"),
    };
  }

  private text(path: DraftPath): string {
    const text = String(get(this.values, path) ?? "").trim();
    if (text === "") this.say(path, "required");
    return text;
  }

  private whole(path: DraftPath, max: number): number {
    const text = this.text(path);
    const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (count < 1 || count > max) this.say(path, "whole");
    return count;
  }

  private currency(path: DraftPath): string {
    const code = this.text(path).toLowerCase();
    if (!/^[a-z]{3}$/.test(code)) this.say(path, "currency");
    return code;
  }

  private amount(path: DraftPath, currency: string): number {
    const minor = readAmount(this.text(path), currency);
    if (minor === null || minor === 0) this.say(path, "amount");
    return minor ?? 0;
  }

  private percent(path: DraftPath): number {
    const points = readHundredths(this.text(path));
    if (points === null || points > BASIS_POINTS_MAX) this.say(path, "percent");
    return points ?? 0;
  }

  private closeAt(): string {
    const moment = momentOf(this.text("terms.close_at"), this.storedCloseAt);
    if (moment === null) this.say("terms.close_at", "moment");
    return moment ?? "";
  }

  private day(path: DraftPath): string {
    const day = this.text(path);
    if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(Date.parse(day))) this.say(path, "day");
    return day;
  }

  /** The first thing that is wrong with a field is the one that is told. */
  private say(path: DraftPath, fault: Fault): void {
    if (!this.faults.some(([known]) => known === path)) this.faults.push([path, fault]);
  }
}
