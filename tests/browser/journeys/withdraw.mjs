/** A participant leaves: asked once more, then told where the money is. */
export default async function withdraw(enter, { commitment }) {
  const visitor = await enter();
  const { page } = visitor;
  await visitor.signIn("maya");
  await visitor.open(`/commitments/${commitment}`);
  await visitor.button("Withdraw").click();
  const question = await page.getByText(/^Withdraw now\?/).innerText();
  await visitor.look("withdraw?");
  await visitor.button("Keep it as it is").click();
  await visitor.button("Withdraw").click();
  await visitor.button(/^Withdraw and get/).click();
  await page.getByRole("button", { name: /^Withdraw/ }).first().waitFor({ state: "detached" });
  await page.getByText("Refund of", { exact: false }).waitFor();
  const money = await visitor.moneyLine(/you withdrew/);
  await visitor.look("withdrawn");
  return { question, money };
}
