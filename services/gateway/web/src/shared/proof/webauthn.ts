import { PasskeyNotUsed } from "@/api/problem";

/** What the browser's passkeys take and give; the server's options and answers are plain JSON on both sides. */

type Json = Record<string, unknown>;

export function passkeysWork(): boolean {
  return (
    typeof PublicKeyCredential !== "undefined" &&
    "parseCreationOptionsFromJSON" in PublicKeyCredential
  );
}

/** Make a passkey. Throws PasskeyNotUsed. */
export async function makePasskey(options: Json): Promise<Json> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    options as unknown as PublicKeyCredentialCreationOptionsJSON,
  );
  return asJson(() => navigator.credentials.create({ publicKey }));
}

/** Prove who one is with a passkey. Throws PasskeyNotUsed. */
export async function proveByPasskey(options: Json): Promise<Json> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    options as unknown as PublicKeyCredentialRequestOptionsJSON,
  );
  return asJson(() => navigator.credentials.get({ publicKey }));
}

async function asJson(ask: () => Promise<Credential | null>): Promise<Json> {
  let credential: Credential | null;
  try {
    credential = await ask();
  } catch {
    throw new PasskeyNotUsed();
  }
  if (!(credential instanceof PublicKeyCredential)) throw new PasskeyNotUsed();
  return credential.toJSON() as Json;
}
