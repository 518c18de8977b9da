import type { Role } from "@/api/types";

const EVERY_ROLE: readonly Role[] = [
  "participant",
  "supplier",
  "operations",
  "gatekeeper",
  "escrow_auditor",
  "trust_reviewer",
  "risk_analyst",
  "support_readonly",
  "founder",
];

/** Role → the roles it is offered to invite. The server decides; this keeps choices away that it refuses. */
export const INVITES: Partial<Record<Role, readonly Role[]>> = {
  founder: EVERY_ROLE,
  gatekeeper: ["participant", "supplier"],
  operations: ["participant", "supplier"],
  participant: ["participant"],
};
