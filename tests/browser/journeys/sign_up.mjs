import { createHmac } from "node:crypto";
import { scan } from "../scanning.mjs";
import { kit, ownData } from "../taking_along.mjs";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const STEP_MILLISECONDS = 30_000;

/** What an authenticator app shows now for a key (RFC 6238). */
function codeOf(key) {
  const bits = [...key].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP_MILLISECONDS)));
  const digest = createHmac("sha1", secret).update(step).digest();
  const number = digest.readUInt32BE(digest.at(-1) & 0xf) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/**
 * Somebody comes in by an invitation: proves the address by a mail, adds a passkey before the first commitment, commits,
 * takes along what is one's own, makes recovery codes, and signs in with the passkey. Elsewhere, without the device, a recovery code opens the way to an
 * authenticator; that session is ended from the first browser.
 */
export default async function signUp(enter, { mailbox, invitation, email, campaign }) {
  const ruth = await enter();
  await ruth.holdPasskeys();
  await ruth.open(`/sign-up#${invitation}`);
  await ruth.page.getByText("What it opens").waitFor();
  await ruth.look("invitation");
  const opens = await ruth.page.getByRole("region", { name: "What it opens" }).innerText();
  const code = await ruth.askForCode(mailbox, email);
  await ruth.look("code");
  await ruth.page.getByLabel("Code from the mail").fill(code === "00000000" ? "11111111" : "00000000");
  await ruth.button("Confirm the address").click();
  await ruth.page.getByText("This code is not accepted").waitFor();
  await ruth.page.getByLabel("Code from the mail").fill(`${code.slice(0, 4)} ${code.slice(4)}`);
  await ruth.button("Confirm the address").click();
  await ruth.page.waitForURL(new RegExp(`/campaigns/${campaign}$`));

  await ruth.page.getByRole("link", { name: "Join campaign" }).click();
  await ruth.page.getByRole("heading", { name: "Before your first commitment" }).waitFor();
  await ruth.look("before the first commitment");
  await ruth.addPasskey("Phone");
  await ruth.page.getByLabel("Units", { exact: true }).waitFor();

  await ruth.toCard(campaign, 1);
  await ruth.payWith("4242 4242 4242 4242");
  await ruth.moneyLine(/is held in escrow/);
  const own = await ownData(ruth);
  const taken = await kit(ruth);

  await ruth.open("/security");
  await ruth.button("Make recovery codes").click();
  const codes = ruth.page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem");
  await codes.first().waitFor();
  await ruth.look("security");
  const recovery = await codes.allInnerTexts();

  await ruth.button("Sign out").click();
  await ruth.open("/sign-in");
  await ruth.look("sign in");
  await ruth.button("Sign in with a passkey").click();
  await ruth.button("Sign out").waitFor();

  const elsewhere = await enter();
  await elsewhere.open("/sign-in");
  const other = await elsewhere.askForCode(mailbox, email);
  await elsewhere.page.getByLabel("Code from the mail").fill(other);
  await elsewhere.button("Sign in with the code").click();
  await elsewhere.button("Sign out").waitFor();
  await elsewhere.open("/security");
  await elsewhere.button("Set up an authenticator").click();
  await elsewhere.page.getByRole("dialog").getByRole("button", { name: "Every device is lost" }).click();
  await elsewhere.page.getByLabel("Recovery code", { exact: true }).fill(recovery[0].toLowerCase());
  await elsewhere.look("a recovery code");
  await elsewhere.button("Use the recovery code").click();
  const key = elsewhere.page.getByRole("region", { name: "Authenticator app" }).locator("code");
  await key.waitFor();
  await elsewhere.page.getByText("You have 9 unused recovery codes.").waitFor();
  await elsewhere.look("a new authenticator");
  const shown = await key.innerText();
  const scanned = await scan(elsewhere, elsewhere.page.getByRole("img", { name: /^QR code/ }));
  await elsewhere.page.getByLabel("Code of your authenticator").fill(codeOf(shown));
  await elsewhere.button("Confirm the authenticator").click();
  await elsewhere.page.getByText("An authenticator is set up.").waitFor();

  await ruth.open("/security");
  const sessions = ruth.page.getByRole("region", { name: "Where you are signed in" });
  const lines = await sessions.getByRole("listitem").allInnerTexts();
  await sessions.getByRole("button", { name: /^End it:/ }).click();
  await sessions.getByRole("button", { name: /^End it:/ }).waitFor({ state: "detached" });
  await elsewhere.open("/commitments");
  const after = await elsewhere.page.getByRole("heading", { level: 1 }).innerText();
  return { opens, recovery, lines, after, own, taken, shown, scanned };
}
