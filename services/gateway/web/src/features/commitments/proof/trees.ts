/**
 * The trees of proofs, as `contracts/proofs` defines them: RFC 9162's for history and scopes, a Merkle-sum tree for the
 * commitments. The same committed vectors pin both.
 */

export const STATE_CLASSES = ["dispute_hold", "escrow", "refund_payable", "reserve"] as const;
export type Sums = readonly number[];

export interface SumNode {
  hash: Uint8Array;
  sums: Sums;
}

/** A proof of the wrong length, a place outside of its tree, or a sum that no tree can hold. */
export class BadProof extends Error {}

const text = new TextEncoder();
const LEAF_TAG = text.encode("alpmera.state.leaf.1\n");
const NODE_TAG = text.encode("alpmera.state.node.1\n");
const EMPTY_ROOT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

export async function sha256(...parts: Uint8Array[]): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(parts)));
}

export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  if (!/^([0-9a-f]{2})*$/.test(hex)) throw new BadProof("a hash is not written in hex");
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function leafHash(data: Uint8Array): Promise<Uint8Array> {
  return sha256(Uint8Array.of(0), data);
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Uint8Array> {
  return sha256(Uint8Array.of(1), left, right);
}

/** The root that a leaf and its path give (RFC 9162, 2.1.3.2). */
export async function foldPath<N>(
  leaf: N,
  { index, size }: { index: number; size: number },
  path: readonly N[],
  combine: (left: N, right: N) => Promise<N>,
): Promise<N> {
  if (!(index >= 0 && index < size)) throw new BadProof("a place outside of its tree");
  let place = BigInt(index);
  let last = BigInt(size) - 1n;
  let found = leaf;
  for (const sibling of path) {
    if (last === 0n) throw new BadProof("the path is longer than its tree is high");
    if (isOdd(place) || place === last) {
      found = await combine(sibling, found);
      while (place !== 0n && !isOdd(place)) {
        place >>= 1n;
        last >>= 1n;
      }
    } else {
      found = await combine(found, sibling);
    }
    place >>= 1n;
    last >>= 1n;
  }
  if (last !== 0n) throw new BadProof("the path is shorter than its tree is high");
  return found;
}

export async function isIncluded(
  leaf: Uint8Array,
  place: { index: number; size: number },
  path: readonly string[],
  root: string,
): Promise<boolean> {
  return toHex(await foldPath(leaf, place, path.map(fromHex), nodeHash)) === root;
}

/** Whether the newer tree begins with the whole older one (RFC 9162, 2.1.4.2). */
export async function isConsistent(
  older: { size: number; root: string },
  newer: { size: number; root: string },
  path: readonly string[],
): Promise<boolean> {
  if (older.size === 0) return older.root === EMPTY_ROOT && path.length === 0;
  if (older.size === newer.size) return older.root === newer.root && path.length === 0;
  if (!(older.size > 0 && older.size < newer.size)) return false;
  const nodes = path.map(fromHex);
  const size = BigInt(older.size);
  if ((size & (size - 1n)) === 0n) nodes.unshift(fromHex(older.root));
  const first = nodes.shift();
  if (first === undefined) return false;
  let place = size - 1n;
  let last = BigInt(newer.size) - 1n;
  while (isOdd(place)) {
    place >>= 1n;
    last >>= 1n;
  }
  let was: Uint8Array = first;
  let now: Uint8Array = first;
  for (const node of nodes) {
    if (last === 0n) return false;
    if (isOdd(place) || place === last) {
      was = await nodeHash(node, was);
      now = await nodeHash(node, now);
      while (place !== 0n && !isOdd(place)) {
        place >>= 1n;
        last >>= 1n;
      }
    } else {
      now = await nodeHash(now, node);
    }
    place >>= 1n;
    last >>= 1n;
  }
  return last === 0n && toHex(was) === older.root && toHex(now) === newer.root;
}

export function packed(sums: Sums): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * STATE_CLASSES.length));
  sums.forEach((sum, at) => {
    if (!Number.isSafeInteger(sum) || sum < 0) throw new BadProof("a sum that no tree can hold");
    view.setBigUint64(8 * at, BigInt(sum));
  });
  return new Uint8Array(view.buffer);
}

export async function stateLeaf(commitmentId: string, sums: Sums, salt: string): Promise<SumNode> {
  const id = fromHex(commitmentId.replaceAll("-", ""));
  return { hash: await sha256(LEAF_TAG, fromHex(salt), id, packed(sums)), sums };
}

export async function sumNode(left: SumNode, right: SumNode): Promise<SumNode> {
  const sums = left.sums.map((sum, at) => sum + (right.sums[at] ?? Number.NaN));
  packed(sums);
  const hash = await sha256(NODE_TAG, left.hash, packed(left.sums), right.hash, packed(right.sums));
  return { hash, sums };
}

function isOdd(value: bigint): boolean {
  return (value & 1n) === 1n;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
