/** A participant adds addresses, joins with one, changes it afterwards, and reads what the commitment was made with. */
export default async function joinToAddress(enter, { campaign, label }) {
  const visitor = await enter();
  const { page } = visitor;
  const field = (name) => page.getByLabel(name, { exact: true });
  const step = async () => (await page.getByText(/Step \d of \d/).innerText()).match(/Step \d of \d/)[0];
  const frozen = () => page.getByRole("region", { name: "Delivery address" }).locator("address").innerText();

  async function fill(name, street, city, state, code) {
    await field("Name of this address").fill(name);
    await field("Recipient").fill("Maya Lindqvist");
    await field("Street and number").fill(street);
    await field("City").fill(city);
    await field("State").fill(state);
    await field("Postal code").fill(code);
  }

  await visitor.signIn("maya");
  await visitor.open("/account");
  await visitor.button("Add an address").click();
  await visitor.look("a new address");
  await visitor.button("Keep this address").click();
  await page.getByText("Fill this in.").first().waitFor();
  await fill(`${label} away`, "500 Oregon Street", "Portland", "OR", "97209");
  await visitor.button("Keep this address").click();
  const away = page.getByRole("listitem").filter({ hasText: `${label} away` });
  const outside = await away.innerText();
  await visitor.look("account");

  await visitor.open(`/campaigns/${campaign}`);
  await page.getByRole("link", { name: "Join campaign" }).click();
  await field("Units").waitFor();
  const steps = [await step()];
  await field("Units").fill("2");
  await visitor.button("Continue").click();
  await page.getByRole("heading", { name: "Where do the units go?" }).waitFor();
  steps.push(await step());
  const add = visitor.button("Add an address");
  if (await add.isVisible()) await add.click();
  await fill(label, "2143 N Northlake Way", "Seattle", "WA", "98103");
  await visitor.button("Keep this address").click();
  await page.getByRole("radio", { name: label, exact: true }).check();
  await visitor.look("delivery address");
  await visitor.button("Continue").click();
  await page.getByRole("heading", { name: "Check your answers" }).waitFor();
  steps.push(await step());
  const review = await page.getByRole("main").innerText();
  await page.goBack();
  const kept = await page.getByRole("radio", { name: label, exact: true }).isChecked();
  await visitor.button("Continue").click();
  await page.getByRole("checkbox").check();
  await visitor.button("Continue to the card").click();
  await field("Card number").waitFor();
  steps.push(await step());
  await visitor.payWith("4242 4242 4242 4242");
  await page.waitForURL(/\/commitments\/[0-9a-f-]+$/);
  await visitor.moneyLine(/is held in escrow/);
  const commitment = new URL(page.url()).pathname;
  const before = await frozen();
  await visitor.look("commitment with its address");

  await visitor.open("/account");
  await visitor.button(`Change ${label}`).first().click();
  await field("Street and number").fill("1 Elsewhere Avenue");
  await visitor.button("Keep the change").click();
  await page.getByText("1 Elsewhere Avenue").waitFor();
  await away.getByRole("button", { name: "Remove" }).click();
  await away.getByRole("button", { name: "Remove", exact: true }).click();
  await away.waitFor({ state: "detached" });
  await visitor.open(commitment);
  return { steps, outside, review, kept, frozen: before, changed: await frozen() };
}
