/** Where the money of one commitment is, as its participant reads it. */
export default async function moneyLine(enter, { commitment, name }) {
  const visitor = await enter();
  await visitor.signIn(name);
  await visitor.open(`/commitments/${commitment}`);
  const money = await visitor.moneyLine();
  await visitor.look("commitment");
  return { money };
}
