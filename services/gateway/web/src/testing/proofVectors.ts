import vectors from "../../../../../contracts/proofs/vectors.json";

/** The test vectors of proofs, the same ones that the offline check is held against. */
export { vectors };
