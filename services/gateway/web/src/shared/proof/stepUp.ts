import { hasCode } from "@/api/problem";

/**
 * Asks a person to confirm, from wherever an act is sent.
 *
 * The dialogue in the site's frame answers; where it is not shown nobody confirms.
 */

type Ask = () => Promise<boolean>;

let ask: Ask | null = null;

/** The dialogue tells here how it is asked; the returned function takes that back. */
export function answerStepUps(asking: Ask): () => void {
  ask = asking;
  return () => {
    if (ask === asking) ask = null;
  };
}

/** Do it; when it wants a fresh proof, ask the person and do it once more. Throws a Refusal. */
export async function withFreshProof<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!hasCode(error, "step_up_required") || ask === null || !(await ask())) throw error;
    return act();
  }
}
