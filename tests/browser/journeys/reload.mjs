/** The page is reloaded while a commitment is on its way, and the act is pressed twice. */
export default async function reload(enter, { campaign }) {
  const visitor = await enter();
  const { page } = visitor;
  await visitor.signIn("theo");
  await visitor.toCard(campaign, 1);
  const keys = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/commitments")) {
      keys.push(request.headers()["idempotency-key"]);
    }
  });
  const sent = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/commitments"));
  await visitor.payWith("4242 4242 4242 4242");
  await sent;
  await page.reload();
  await page.waitForURL(/\/commitments\/[0-9a-f-]+$/);
  return { keys, money: await visitor.moneyLine(/is held in escrow/), address: page.url() };
}
