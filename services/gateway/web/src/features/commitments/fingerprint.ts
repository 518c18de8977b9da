/** The SHA-256 of a file's bytes in lower-case hex; the file itself stays where it is. */
export async function fingerprintOf(file: Blob): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
