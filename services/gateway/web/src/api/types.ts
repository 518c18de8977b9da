import type { components, operations } from "@/api/generated/schema";

/** Short names for the generated shapes; nothing is described here a second time. */
type Schemas = components["schemas"];

export type AccessToken = Schemas["AccessTokenView"];
export type Account = Schemas["AccountView"];
export type AccountKindView = Schemas["AccountKindView"];
export type AccountKind = AccountKindView["kind"];
export type Address = Schemas["AddressView"];
export type AlertRule = Schemas["AlertRuleView"];
export type CampaignCost = Schemas["CampaignCostView"];
export type CampaignSummary = Schemas["CampaignSummary"];
export type Case = Schemas["CaseView"];
export type ClientConfig = Schemas["ClientConfig"];
export type Commitment = Schemas["CommitmentView"];
export type CommitmentProof = Schemas["CommitmentProof"];
export type SignedBody = Schemas["CheckpointBody"] | Schemas["PlatformBody"];
export type CommitmentRow = Schemas["CommitmentRow"];
export type Delivery = Schemas["DeliveryView"];
export type Dispute = Schemas["DisputeView"];
export type DisputeRow = Schemas["DisputeRow"];
export type Escrow = Schemas["EscrowView"];
export type Erasure = Schemas["ErasureView"];
export type Flows = Schemas["FlowsView"];
export type FieldError = Schemas["FieldErrorView"];
export type Issue = Schemas["IssueView"];
export type Me = Schemas["Me"];
export type MemberInvitation = Schemas["MemberInvitationView"];
export type Money = Schemas["MoneyView"];
export type Movement = Schemas["MovementView"];
export type Operation = Schemas["OperationView"];
export type Plan = Schemas["PlanView"];
export type PostalAddress = Schemas["PostalAddress"];
export type PlanBody = Schemas["PlanBody"];
export type FloatGauge = Schemas["GaugeView"];
export type PlatformMoney = Schemas["PlatformMoneyView"];
export type Problem = Schemas["ProblemView"];
export type Product = Schemas["Product"];
export type Progress = Schemas["ProgressView"];
export type Security = Schemas["SecurityView"];
export type Session = Schemas["SessionView"];
export type StaffOverview = Schemas["StaffOverview"];
export type Terms = Schemas["Terms"];
export type Transfer = Schemas["LedgerTransferView"];
export type TokenScope = AccessToken["scopes"][number];

/** The states a list of campaigns can be asked for; an address may hold another word, which the server refuses. */
export type CampaignState = NonNullable<
  NonNullable<operations["campaigns_list"]["parameters"]["query"]>["state"]
>;

type WithTerms<T> = Omit<T, "terms"> & { terms: Terms };

export type Campaign = WithTerms<Omit<Schemas["CampaignView"], "product">> & { product: Product };
export type Invitation = WithTerms<Schemas["InvitationView"]>;

export type Role = Account["role"];
export type ReviewBody = Schemas["ReviewBody"];
