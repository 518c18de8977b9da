import type { CommitmentProof, SignedBody } from "@/api/types";
import {
  foldPath,
  fromHex,
  isConsistent,
  isIncluded,
  leafHash,
  STATE_CLASSES,
  sha256,
  stateLeaf,
  sumNode,
  toHex,
} from "./trees";

/** What was checked: whether it holds, or null when this browser cannot check it. The page puts `name` into words. */
export interface Step {
  name:
    | "signature"
    | "earlierSignature"
    | "platformSignature"
    | "campaign"
    | "balance"
    | "state"
    | "addsUp"
    | "leftOut"
    | "movement"
    | "earlier"
    | "platform";
  holds: boolean | null;
  facts: Record<string, string | number>;
}

type Movement = CommitmentProof["movements"][number];

const text = new TextEncoder();
const SHORT = 16;

/** Every step of a proof. A proof that cannot be followed at all fails in the step where that shows. */
export async function checkProof(proof: CommitmentProof): Promise<Step[]> {
  const { body } = proof.checkpoint;
  const steps: Step[] = [
    { ...(await signature(proof.checkpoint)), name: "signature" },
    step("campaign", proof.campaign_id === body.scope),
    step("balance", Object.values(body.sums).reduce((sum, each) => sum + each, 0) === 0),
    await attempt("state", { number: body.number }, () => isInState(proof)),
    addsUp(proof),
  ];
  for (const movement of proof.movements) {
    const { position, kind } = movement.transfer;
    const facts = { position, kind, number: body.number };
    steps.push(await attempt("movement", facts, () => isInHistory(proof, movement)));
  }
  return [...steps, ...(await earlier(proof)), ...(await platform(proof))];
}

/** JSON with sorted keys and no spaces: the form that is hashed and signed. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "number" && !Number.isSafeInteger(value))
    throw new Error("not a whole number");
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(",")}}`;
}

export async function bodyHash(body: SignedBody): Promise<string> {
  return toHex(await sha256(signedBytes(body)));
}

function signedBytes(body: SignedBody): Uint8Array<ArrayBuffer> {
  return text.encode(`${body.version}\n${canonical(body)}`);
}

async function signature(signed: {
  body: SignedBody;
  signature: string;
  public_key: string;
}): Promise<Omit<Step, "name">> {
  const facts = { number: signed.body.number, key: signed.body.key_id.slice(0, SHORT) };
  try {
    const raw = fromHex(signed.public_key);
    if (toHex(await sha256(raw)) !== signed.body.key_id) return { holds: false, facts };
    const key = await publicKey(raw);
    if (key === null) return { holds: null, facts };
    const given = fromHex(signed.signature);
    const holds = await crypto.subtle.verify("Ed25519", key, given, signedBytes(signed.body));
    return { holds, facts };
  } catch {
    return { holds: false, facts };
  }
}

/** Null where the browser does not know this kind of key. */
async function publicKey(raw: Uint8Array<ArrayBuffer>): Promise<CryptoKey | null> {
  try {
    return await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  } catch {
    return null;
  }
}

async function isInState({ checkpoint, commitment_id, state }: CommitmentProof): Promise<boolean> {
  const { body } = checkpoint;
  const leaf = await stateLeaf(commitment_id, sumsOf(state.amounts), state.salt);
  const path = state.path.map((each) => ({ hash: fromHex(each.hash), sums: sumsOf(each.sums) }));
  const place = { index: state.index, size: body.leaf_count };
  const root = await foldPath(leaf, place, path, sumNode);
  const totals = sumsOf(body.sums);
  return toHex(root.hash) === body.state_root && root.sums.every((sum, at) => sum === totals[at]);
}

function sumsOf(amounts: Readonly<Record<string, number>>): number[] {
  return STATE_CLASSES.map((name) => amounts[name] ?? 0);
}

function addsUp(proof: CommitmentProof): Step {
  const count = proof.movements_left_out;
  if (count > 0) return { name: "leftOut", holds: true, facts: { count } };
  const found: Record<string, number> = {};
  for (const { transfer } of proof.movements) {
    for (const entry of transfer.entries) {
      const [name = "", owner] = entry.account.split(":");
      if (owner === proof.commitment_id) found[name] = (found[name] ?? 0) + entry.amount_minor;
    }
  }
  const due = sumsOf(proof.state.amounts);
  return step(
    "addsUp",
    sumsOf(found).every((sum, at) => sum === due[at]),
  );
}

async function isInHistory(proof: CommitmentProof, { transfer, path }: Movement): Promise<boolean> {
  const { body } = proof.checkpoint;
  const total = transfer.entries.reduce((sum, entry) => sum + entry.amount_minor, 0);
  if (
    transfer.commitment_id !== proof.commitment_id ||
    transfer.scope !== body.scope ||
    transfer.currency !== body.currency ||
    transfer.position < 1 ||
    total !== 0 ||
    (await transferHash(transfer)) !== transfer.hash ||
    (transfer.position === body.position && transfer.hash !== body.chain_head)
  ) {
    return false;
  }
  const place = { index: transfer.position - 1, size: body.position };
  return isIncluded(await leafHash(fromHex(transfer.hash)), place, path, body.history_root);
}

/** The hash of a transfer: version, previous hash and canonical JSON, divided by line feeds. */
export async function transferHash(transfer: Movement["transfer"]): Promise<string> {
  const { hash: _, previous_hash: previous, ...fields } = transfer;
  const content = {
    ...fields,
    plan_id: fields.plan_id ?? null,
    reverses: fields.reverses ?? null,
    event_at: inMicroseconds(fields.event_at),
    entries: fields.entries
      .map((entry) => ({ ...entry, object_id: entry.object_id ?? null }))
      .sort((one, other) => (one.account < other.account ? -1 : 1)),
  };
  const lines = `alpmera.ledger.transfer.1\n${previous}\n${canonical(content)}`;
  return toHex(await sha256(text.encode(lines)));
}

/** A moment in UTC with six decimals, as it is hashed. */
function inMicroseconds(moment: string): string {
  const [, whole, fraction = ""] = /^([^.]+?)(?:\.(\d{1,6}))?Z$/.exec(moment) ?? [];
  if (whole === undefined) throw new Error("a moment that is not in UTC");
  return `${whole}.${fraction.padEnd(6, "0")}Z`;
}

async function earlier(proof: CommitmentProof): Promise<Step[]> {
  if (proof.earlier === null) return [];
  const { checkpoint, path } = proof.earlier;
  const [older, newer] = [checkpoint.body, proof.checkpoint.body];
  const facts = { position: older.position, older: older.number, newer: newer.number };
  const unchanged = async () =>
    older.scope === newer.scope &&
    older.number < newer.number &&
    (older.number !== newer.number - 1 || newer.previous_hash === (await bodyHash(older))) &&
    (await isConsistent(
      { size: older.position, root: older.history_root },
      { size: newer.position, root: newer.history_root },
      path,
    ));
  return [
    { ...(await signature(checkpoint)), name: "earlierSignature" },
    await attempt("earlier", facts, unchanged),
  ];
}

async function platform(proof: CommitmentProof): Promise<Step[]> {
  if (proof.platform === null) return [];
  const { checkpoint, index, path } = proof.platform;
  const { body } = checkpoint;
  const facts = { number: body.number, head: (await bodyHash(body)).slice(0, SHORT) };
  const covered = async () => {
    const leaf = await leafHash(fromHex(await bodyHash(proof.checkpoint.body)));
    return isIncluded(leaf, { index, size: body.scope_count }, path, body.checkpoints_root);
  };
  return [
    { ...(await signature(checkpoint)), name: "platformSignature" },
    await attempt("platform", facts, covered),
  ];
}

function step(name: Step["name"], holds: boolean): Step {
  return { name, holds, facts: {} };
}

async function attempt(
  name: Step["name"],
  facts: Step["facts"],
  check: () => Promise<boolean>,
): Promise<Step> {
  try {
    return { name, holds: await check(), facts };
  } catch {
    return { name, holds: false, facts };
  }
}
