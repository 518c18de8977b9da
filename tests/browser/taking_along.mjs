import { readFile } from "node:fs/promises";

/** The file that comes when a link is followed. */
async function download(page, name) {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name }).click(),
  ]);
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), "utf8") };
}

/** One's own data as two files; then erasure, which waits while money is open and is taken back. */
export async function ownData(visitor) {
  const { page } = visitor;
  await visitor.open("/account/data");
  const json = await download(page, "A file for programs");
  const html = await download(page, "A page to read");
  await visitor.button("Erase my data").click();
  await visitor.look("erase my data?");
  await visitor.button("Record the request").click();
  await page.getByText("Your request is recorded").waitFor();
  await visitor.look("erasure waits");
  const erasure = await page.getByRole("region", { name: "Erase my data" }).innerText();
  await visitor.button("Take the request back").click();
  await visitor.button("Erase my data").waitFor();
  return { json, html, erasure };
}

/** A token that reads and is ended; a calendar whose address is renewed. Each secret is shown once. */
export async function kit(visitor) {
  const { page, base } = visitor;
  await visitor.open("/account/kit");
  await page.getByRole("checkbox", { name: "My commitments" }).check();
  await visitor.button("Make the token").click();
  const token = await page.getByRole("region", { name: "Access tokens" }).locator("code").innerText();
  const read = async () => {
    const answer = await fetch(`${base}/v1/commitments`, { headers: { Authorization: `Bearer ${token}` } });
    return answer.status;
  };
  const answers = [await read()];
  await visitor.button("Make the address").click();
  const address = page.getByRole("region", { name: "Calendar of your dates" }).locator("code");
  const first = await address.innerText();
  const calendar = await (await fetch(first)).text();
  await visitor.look("programs and calendar");

  await visitor.button("Renew the address").click();
  await visitor.look("renew the address?");
  await visitor.button("Renew the address").click();
  await address.filter({ hasNotText: first }).waitFor();
  const second = await address.innerText();
  const renewed = [(await fetch(first)).status, (await fetch(second)).status];

  await visitor.open("/account/kit");
  await page.getByRole("list", { name: "Your access tokens" }).waitFor();
  const shownAgain = (await page.content()).includes(token);
  await visitor.button(/^End: Token that begins with/).click();
  await visitor.button("End it").click();
  await page.getByText("You have no access token.").waitFor();
  answers.push(await read());
  return { answers, calendar, renewed, shownAgain };
}
