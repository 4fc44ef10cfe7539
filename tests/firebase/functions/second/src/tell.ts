/** Writes down what a function got where the tests can read it, by the name of the function. */
export async function tell(name: string, got: unknown): Promise<void> {
  const project = process.env.GCLOUD_PROJECT;
  const url = `https://firestore.googleapis.com/v1/projects/${project}/databases/(default)/documents/told`;
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ fields: { name: { stringValue: name }, got: { stringValue: JSON.stringify(got) } } }),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}
