import type {
  Account,
  Campaign,
  CampaignSummary,
  Case,
  ClientConfig,
  Commitment,
  CommitmentRow,
  Invitation,
  Issue,
  Plan,
  Problem,
  Progress,
  Terms,
} from "@/api/types";

/** Complete answers of the interface, as the tests' server gives them. */

const usd = (amount: number) => ({ amount, currency: "USD" });

export const CAMPAIGN_ID = "0f6a1d00-0000-4000-8000-000000000001";
export const COMMITMENT_ID = "0f6a1d00-0000-4000-8000-000000000002";
export const TERMS_HASH = "9f2c51ab7e3d4460a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718";

export const maya: Account = {
  subject_id: "0f6a1d00-0000-4000-8000-0000000000a1",
  role: "participant",
  supplier_id: null,
  label: "maya",
};

export const dock: Account = {
  subject_id: "0f6a1d00-0000-4000-8000-0000000000a2",
  role: "supplier",
  supplier_id: "5e6a1d00-0000-4000-8000-00000000d0c1",
  label: "dock",
};

export const ana: Account = {
  subject_id: "0f6a1d00-0000-4000-8000-0000000000a3",
  role: "escrow_auditor",
  supplier_id: null,
  label: "ana",
};

export const gus: Account = { ...ana, role: "gatekeeper", label: "gus" };

export const config: ClientConfig = {
  profile: "local",
  test_money: true,
  simulated_time: true,
  stack_time: "2026-11-24T18:30:00Z",
  clock_moving: false,
  stripe: {
    kind: "stand-in",
    publishable_key: "pk_test_stand_in",
    api_base: "http://127.0.0.1:4242",
  },
  demo_logins: [
    { email: "maya@demo.test", role: "participant", words: "Participant" },
    { email: "theo@demo.test", role: "participant", words: "Participant" },
    { email: "dock@emeraldsupply.test", role: "supplier", words: "Emerald Supply" },
    { email: "ana@alpmera.test", role: "escrow_auditor", words: "Escrow auditor" },
    { email: "gus@alpmera.test", role: "gatekeeper", words: "Gatekeeper" },
  ],
};

export const terms: Terms = {
  title: "Capitol Hill espresso grinder",
  target_units: 40,
  capacity_units: 80,
  unit_price_minor: 54_900,
  currency: "usd",
  min_units: 1,
  max_units: 4,
  close_at: "2026-12-05T00:00:00Z",
  fee_basis_points: 300,
  delivery_window_days: 21,
  delivery_model: "Pickup at one place",
  delivers_to: "hand_over_point",
  delivery_terms: "One pickup day in Capitol Hill; the place is named at acceptance.",
  refund_terms: "In full in every case but a completed campaign.",
};

export const progress: Progress = {
  campaign_id: CAMPAIGN_ID,
  state: "ACTIVE",
  state_words: "Active campaign",
  held_units: 31,
  reserved_units: 2,
  target_units: 40,
  capacity_units: 80,
  units_left: 47,
  held_commitments: 22,
  target_reached: false,
  joining: true,
};

export const summary: CampaignSummary = {
  id: CAMPAIGN_ID,
  title: terms.title,
  state: "ACTIVE",
  state_words: "Active campaign",
  closed_reason: null,
  visibility: "open",
  unit_price: usd(54_900),
  category: "Kitchen",
  progress,
  close_at: terms.close_at,
  joining: true,
  opened_at: "2026-11-16T09:00:00Z",
  joining_paused: false,
  frozen: false,
  stale: false,
};

export const campaign: Campaign = {
  ...summary,
  product: {
    name: "Conical burr grinder, 64 mm",
    specification:
      "Stepless 64 mm conical burrs, 250 W motor, 300 g hopper.\nOne year of the maker's own warranty, handled by the maker.",
    category: "Kitchen",
    sku: "KG-64",
    reference_prices: [
      { amount_minor: 64_900, currency: "usd", source: "maker's list", seen_on: "2026-11-01" },
    ],
  },
  terms,
  terms_hash: TERMS_HASH,
  constraints: [],
  state_since: "2026-11-16T09:00:00Z",
  state_explained:
    "People can join until December 5, 2026, 00:00 UTC; funds are held in escrow and refunded in full if the target quantity is not reached.",
  money: {
    held: usd(1_701_900),
    refund_owed: usd(54_900),
    refunded: usd(109_800),
    released: usd(0),
    fees: usd(0),
    reserved_for_issues: usd(0),
  },
  what_happens_if: [
    {
      case: "target_not_reached",
      words:
        "If the target quantity is not reached by December 5, 2026, the campaign closes and every commitment is refunded in full.",
    },
    {
      case: "supplier_declined",
      words:
        "If the supplier declines, or does not answer inside the acceptance window, every commitment is refunded in full.",
    },
    {
      case: "late_delivery",
      words:
        "Delivery is expected within 21 days of acceptance. That is the supplier's stated window and can be missed; a delay is told as it is, and funds stay held meanwhile.",
    },
    {
      case: "fulfillment_failed",
      words:
        "If fulfillment is not completed, three staff roles determine it and every commitment is refunded in full.",
    },
  ],
  supplier: null,
  acceptance: null,
  settlement: null,
  staff: null,
};

export const commitment: Commitment = {
  id: COMMITMENT_ID,
  reference: "K7Q2-M4XD",
  campaign_id: CAMPAIGN_ID,
  campaign_title: terms.title,
  campaign_state: "ACTIVE",
  quantity: 2,
  unit_price: usd(54_900),
  amount: usd(109_800),
  terms_hash: TERMS_HASH,
  state: "LOCKED",
  state_words: "Funds held in escrow",
  money_now:
    "$1,098.00 is held in escrow. If the target quantity is not reached by December 5, 2026, all of it is refunded.",
  payment: { state: "held", attempt: 1, decline_code: null, retry_until: null },
  next_action: null,
  refund: null,
  delivery: null,
  issue: null,
  dispute: null,
  reserved_until: null,
  created_at: "2026-11-24T18:12:00Z",
  locked_at: "2026-11-24T18:12:02Z",
  acts: { pay: false, withdraw: true, report_issue: false },
};

export const declinedCommitment: Commitment = {
  ...commitment,
  state: "PENDING_FUNDS",
  state_words: "Waiting for funds",
  money_now: "No money was taken: the card was declined.",
  payment: {
    state: "declined",
    attempt: 1,
    decline_code: "insufficient_funds",
    retry_until: "2026-11-24T18:27:00Z",
  },
  reserved_until: "2026-11-24T18:27:00Z",
  locked_at: null,
  acts: { pay: true, withdraw: true, report_issue: false },
};

export const invitation: Invitation = {
  id: "0f6a1d00-0000-4000-8000-000000000003",
  campaign_id: CAMPAIGN_ID,
  campaign_title: terms.title,
  supplier_id: "5e6a1d00-0000-4000-8000-00000000d0c1",
  state: "open",
  state_words: "Waiting for your answer",
  units: 44,
  final: true,
  unit_price: usd(54_900),
  total: usd(2_415_600),
  terms,
  terms_hash: TERMS_HASH,
  opens_at: "2026-12-05T00:00:00Z",
  closes_at: "2026-12-12T00:00:00Z",
  invited_at: "2026-12-02T10:00:00Z",
};

export const rows: CommitmentRow[] = ["4QX2-99AB", "7PLM-01CD", "K7Q2-M4XD"].map(
  (reference, index) => ({
    id: `0f6a1d00-0000-4000-8000-00000000010${index}`,
    reference,
    quantity: index + 1,
    amount: usd(54_900 * (index + 1)),
    state: "LOCKED",
    state_words: "Funds held in escrow",
    delivery:
      index === 0
        ? { state: "delivered", tracking: "1Z 99", inspection_until: "2026-12-24T00:00:00Z" }
        : null,
    issue: null,
    in_dispute: false,
  }),
);

export const plan: Plan = {
  id: "0f6a1d00-0000-4000-8000-000000000004",
  campaign_id: CAMPAIGN_ID,
  kind: "release",
  kind_words: "Release to the supplier",
  state: "SUBMITTED",
  state_words: "Waiting for the second approval",
  plan_hash: "5b1e51ab7e3d4460a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6aaaa",
  maker_id: "0f6a1d00-0000-4000-8000-0000000000a9",
  approver_id: null,
  reason: "Inspection is over without an open report.",
  supplier_id: "5e6a1d00-0000-4000-8000-00000000d0c1",
  gross: usd(1_701_900),
  reserve: usd(0),
  fee: usd(51_057),
  net: usd(1_650_843),
  line_count: 22,
  reason_code: null,
  evidence: [],
  target_plan_id: null,
  target_position: null,
  progress: { applied: 0, failed: 0, of: 22 },
  preview: [
    ["escrow", 1_701_900, -1_701_900],
    ["supplier_payable", 0, 0],
    ["platform_fee", 0, 51_057],
    ["psp_clearing", -1_701_900, 1_650_843],
  ].map(([account, before, moved]) => ({
    account: String(account),
    before: usd(Number(before)),
    movement: usd(Number(moved)),
    after: usd(Number(before) + Number(moved)),
  })),
  conditions: [
    "supplier_accepted",
    "fulfillment_confirmed",
    "inspection_over",
    "issue_rule",
    "no_dispute_open",
    "participants_told",
    "ledger_sound",
    "payout_account_verified",
    "first_approval",
  ].map((name) => ({ name, met: true, evidence: ["0f6a1d00-0000-4000-8000-000000000999"] })),
  transfer: null,
  refused_code: null,
  submitted_at: "2026-12-27T12:00:00Z",
};

export const issue: Issue = {
  id: "0f6a1d00-0000-4000-8000-000000000005",
  campaign_id: CAMPAIGN_ID,
  commitment_id: COMMITMENT_ID,
  state: "open",
  description: "The hopper is cracked along the rim.",
  reported_at: "2026-12-21T12:00:00Z",
  decided_at: null,
};

export const openCase: Case = {
  id: "0f6a1d00-0000-4000-8000-000000000006",
  service: "escrow",
  kind: "transfer_refused",
  scope: CAMPAIGN_ID,
  subject_id: "0f6a1d00-0000-4000-8000-000000000004",
  severity: "high",
  blocking: true,
  facts: { code: "balance_insufficient", attempt: 2 },
  state: "open",
  resolution: null,
  opened_at: "2026-12-27T13:00:00Z",
  closed_at: null,
  people_needed: 0,
  asked_by: null,
  asked_words: null,
  asked_evidence: [],
  closed_by: null,
  closed_words: null,
};

export function problem(code: string, status: number, more: Partial<Problem> = {}): Problem {
  return {
    type: `/problems/${code}`,
    title: `Title of ${code}`,
    status,
    detail: `What to do about ${code}.`,
    instance: "/v1/test",
    code,
    facts: {},
    errors: [],
    trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
    request_id: "req-1",
    resource: null,
    operation_id: null,
    ...more,
  };
}
