/** A participant joins with a card that works, while somebody else watches the campaign's page. */
export default async function join(enter, { campaign, quantity }) {
  const watcher = await enter();
  await watcher.open(`/campaigns/${campaign}`);
  const ring = watcher.page.getByRole("img", { name: /units held/ });
  const before = await ring.getAttribute("aria-label");
  await watcher.page.evaluate(() => {
    globalThis.sameDocument = true;
  });

  const visitor = await enter();
  await visitor.signIn("maya");
  await visitor.toCard(campaign, quantity);
  await visitor.look("card");
  await visitor.page.goBack();
  await visitor.heading();
  await visitor.look("check your answers");
  const review = await visitor.page.getByRole("main").innerText();
  await visitor.page.goBack();
  await visitor.heading();
  await visitor.look("quantity");
  const kept = await visitor.page.getByLabel("Units", { exact: true }).inputValue();

  await visitor.toCard(campaign, quantity);
  await visitor.payWith("4242 4242 4242 4242");
  await visitor.page.waitForURL(/\/commitments\/[0-9a-f-]+$/);
  const money = await visitor.moneyLine(/is held in escrow/);
  await visitor.page.getByText(/^Ledger transfer \d+: /).first().click();
  const movement = await visitor.page.getByRole("region", { name: "Every movement of your money" }).innerText();
  await visitor.look("commitment");
  const file = await visitor.page.getByRole("link", { name: "Commitment record (PDF)" }).getAttribute("href");
  const record = await visitor.page.request.get(new URL(file, visitor.base).href);
  const kind = record.headers()["content-type"];
  await visitor.page.getByRole("link", { name: "My commitments" }).click();
  await visitor.heading("My commitments");
  await visitor.page.getByText(money).first().waitFor();
  await visitor.look("my commitments");

  await watcher.page.waitForFunction(
    (label) => document.querySelector("svg[role=img]")?.getAttribute("aria-label") !== label,
    before,
  );
  await visitor.open(`/campaigns/${campaign}/escrow`);
  const escrow = await visitor.page.getByRole("main").innerText();
  await visitor.look("escrow of a campaign");
  const after = await ring.getAttribute("aria-label");
  const live = await watcher.page.evaluate(() => globalThis.sameDocument === true);
  return { before, after, live, review, kept, money, movement, escrow, kind };
}
