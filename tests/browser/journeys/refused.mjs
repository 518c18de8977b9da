/** Somebody else takes the last units while this person is at the card. */
export default async function refused(enter, { campaign, quantity, rival }) {
  const visitor = await enter();
  const { page } = visitor;
  await visitor.signIn("theo");
  await visitor.open(`/campaigns/${campaign}/join`);
  await page.getByLabel("Units", { exact: true }).fill("0");
  await visitor.button("Continue").click();
  const tooFew = await page.getByText("Enter at least").innerText();
  await visitor.look("too few units");
  await visitor.toCard(campaign, quantity);
  const answer = await fetch(rival.url, { method: "POST", headers: rival.headers, body: JSON.stringify(rival.body) });
  if (answer.status !== 201) throw new Error(`the other participant: ${answer.status}`);
  await visitor.payWith("4242 4242 4242 4242");
  const alert = page.getByRole("alert");
  await alert.waitFor();
  await visitor.look("over capacity");
  return { tooFew, words: await alert.innerText() };
}
