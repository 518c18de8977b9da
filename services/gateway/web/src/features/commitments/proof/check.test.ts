import { describe, expect, it, vi } from "vitest";
import type { CommitmentProof, SignedBody } from "@/api/types";
import { vectors } from "@/testing/proofVectors";
import { bodyHash, canonical, checkProof, transferHash } from "./check";
import { foldPath, fromHex, leafHash, nodeHash, packed, sumNode, toHex } from "./trees";

const proof = vectors.commitment_proof as unknown as CommitmentProof;

const fails = async (changed: CommitmentProof) =>
  (await checkProof(changed)).filter(({ holds }) => holds !== true).map(({ name }) => name);

function changed(change: (copy: CommitmentProof) => void): CommitmentProof {
  const copy = structuredClone(proof);
  change(copy);
  return copy;
}

async function rootOf<N>(leaves: N[], combine: (left: N, right: N) => Promise<N>): Promise<N> {
  if (leaves.length === 1) return leaves[0] as N;
  const half = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return combine(
    await rootOf(leaves.slice(0, half), combine),
    await rootOf(leaves.slice(half), combine),
  );
}

describe("the committed vectors", () => {
  it("hold, step by step", async () => {
    const steps = await checkProof(proof);
    expect(steps.filter(({ holds }) => holds !== true)).toEqual([]);
    expect(steps.map(({ name }) => name)).toEqual([
      "signature",
      "campaign",
      "balance",
      "state",
      "addsUp",
      "movement",
      "movement",
      "movement",
      "earlierSignature",
      "earlier",
      "platformSignature",
      "platform",
    ]);
  });

  it("give the same roots and hashes here", async () => {
    const leaves = await Promise.all(
      vectors.history.leaves.map((leaf: string) => leafHash(fromHex(leaf))),
    );
    for (const [size, root] of vectors.history.roots.slice(1).entries()) {
      expect(toHex(await rootOf(leaves.slice(0, size + 1), nodeHash))).toBe(root);
    }
    const state = vectors.state.leaves.map((leaf: { hash: string; sums: number[] }) => ({
      hash: fromHex(leaf.hash),
      sums: leaf.sums,
    }));
    const root = await rootOf(state, sumNode);
    expect({ hash: toHex(root.hash), sums: root.sums }).toEqual(vectors.state.root);
    expect(toHex(packed([1, 2, 3, 2 ** 53 - 1]))).toBe(vectors.state.packed);
    const { body } = vectors.checkpoint.signed;
    expect(`${body.version}\n${canonical(body)}`).toBe(vectors.checkpoint.bytes);
    expect(await bodyHash(body as SignedBody)).toBe(vectors.checkpoint.hash);
    for (const { transfer } of proof.movements) {
      expect(await transferHash(transfer)).toBe(transfer.hash);
    }
  });
});

describe("a changed proof", () => {
  it.each<[string, (copy: CommitmentProof) => void, string]>([
    ["an amount", (copy) => (copy.state.amounts.escrow += 1), "state"],
    ["a salt", (copy) => (copy.state.salt = "0".repeat(64)), "state"],
    ["a place", (copy) => (copy.state.index = 99), "state"],
    [
      "a negative sum",
      (copy) => ((copy.state.path[0] as never as { sums: { escrow: number } }).sums.escrow = -1),
      "state",
    ],
    ["a missing movement", (copy) => copy.movements.pop(), "addsUp"],
    [
      "a reason",
      (copy) =>
        ((copy.movements[1] as never as { transfer: { reason: string } }).transfer.reason = "x"),
      "movement",
    ],
    [
      "a moment",
      (copy) =>
        ((copy.movements[0] as never as { transfer: { event_at: string } }).transfer.event_at =
          "now"),
      "movement",
    ],
    ["a total", (copy) => (copy.checkpoint.body.sums.escrow = 1), "signature"],
    ["a key", (copy) => (copy.checkpoint.public_key = "0".repeat(64)), "signature"],
    [
      "an older root",
      (copy) =>
        ((
          copy.earlier as never as { checkpoint: { body: { history_root: string } } }
        ).checkpoint.body.history_root = "0".repeat(64)),
      "earlier",
    ],
    [
      "what is owed",
      (copy) =>
        ((
          copy.platform as never as { checkpoint: { body: { owed: Record<string, number> } } }
        ).checkpoint.body.owed.usd = 1),
      "platformSignature",
    ],
  ])("with another %s fails and says where", async (_, change, name) => {
    expect(await fails(changed(change))).toContain(name);
  });

  it("leaves what a browser cannot check open instead of calling it good", async () => {
    const unknown = vi.spyOn(crypto.subtle, "importKey").mockRejectedValue(new Error("unknown"));
    const steps = await checkProof(proof);
    unknown.mockRestore();
    expect(steps.filter(({ holds }) => holds === null).map(({ name }) => name)).toEqual([
      "signature",
      "earlierSignature",
      "platformSignature",
    ]);
  });

  it("with a path of another length is no proof", async () => {
    const leaf = await leafHash(fromHex("00"));
    await expect(foldPath(leaf, { index: 0, size: 1 }, [leaf], nodeHash)).rejects.toThrow();
    await expect(foldPath(leaf, { index: 0, size: 2 }, [], nodeHash)).rejects.toThrow();
    await expect(foldPath(leaf, { index: 2, size: 2 }, [leaf], nodeHash)).rejects.toThrow();
  });
});
