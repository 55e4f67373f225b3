/**
 * What each part of TinySeek is worth, as the table of its model card: `DSC_TEST_DATA=… npx tsx test/bench/tinyseek-ablations.ts
 * [stories] [backend]`. The loss of the last stories of the sample, 50 if not said, with one thing off or wrong; and how many
 * drafts are right in what it writes. Asserts nothing.
 */
import { storiesCorpus } from "../real/stories-data.ts";
import { ablations, openCommands, whole } from "../tinyseek/commands.ts";
import { goldenPrompt, promptNames, readGolden, whyUntrained } from "../tinyseek/golden.ts";

if (storiesCorpus === null || whyUntrained !== "") {
  console.error(
    whyUntrained === "" ? "DSC_TEST_DATA has no data/corpora/tinystories-sample.txt" : `TinySeek${whyUntrained}`,
  );
  process.exit(2);
}
const stories = Number(process.argv[2] ?? 50);
const backend = process.argv[3] ?? "wasm";
const golden = readGolden();
const commands = openCommands();
const corpus = storiesCorpus;
const lossOf = async (text: string): Promise<number> =>
  (await commands.losses(text, { backend, corpus, stories })).mean;

async function rightDrafts(text: string): Promise<string> {
  let [drafted, accepted] = [0, 0];
  for (const name of promptNames) {
    const { prompt, ids } = goldenPrompt(golden, name);
    const { statistics } = await commands.write(text, { backend, prompt, count: ids.length, draft: 1 });
    drafted += statistics.drafted ?? 0;
    accepted += statistics.accepted ?? 0;
  }
  return `${accepted} of ${drafted} drafts right, ${((100 * accepted) / drafted).toFixed(1)} %`;
}

const plain = await lossOf(whole);
console.log(`| ${stories} held-out stories, ${backend} | nats a token | more than as trained |\n|---|---|---|`);
console.log(`| as trained | ${plain.toFixed(4)} | |`);
for (const [name, text] of ablations) {
  const loss = await lossOf(text);
  console.log(`| ${name} | ${loss.toFixed(4)} | ${loss < plain ? "" : "+"}${(loss - plain).toFixed(4)} |`);
}
console.log(
  `\nThe model: ${await rightDrafts(whole)}; swapped-draft: ${await rightDrafts(ablations.get("swapped-draft") ?? "")}`,
);
commands.remove();
