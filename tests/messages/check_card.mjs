// Reads cards from a JSON file and says what Microsoft's own library of Adaptive Cards finds wrong with them, for the
// version that Teams takes: what it complains of, and what it left out of the card that it writes back.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { AdaptiveCard, SerializationContext, Versions } = createRequire(import.meta.url)("adaptivecards/dist/adaptivecards.js");
// Not of the card itself: read by editors, by Teams, by clients that know no cards.
const OTHERS = new Set(["$schema", "msteams"]);

function leftOut(sent, back, path = "") {
  if (sent === null || typeof sent !== "object") return sent === back ? [] : [`${path} is not understood`];
  if (back === null || typeof back !== "object") return [`${path} is not understood`];
  return Object.keys(sent)
    .filter((key) => path || !OTHERS.has(key))
    .flatMap((key) => leftOut(sent[key], back[key], path ? `${path}.${key}` : key));
}

let wrong = 0;
for (const payload of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const context = new SerializationContext(Versions.v1_5);
  const card = new AdaptiveCard();
  card.parse(payload, context);
  const found = [];
  for (let i = 0; i < context.eventCount; i++) found.push(context.getEventAt(i).message);
  for (const event of card.validateProperties().validationEvents) found.push(event.message);
  if (payload.version !== Versions.v1_5.toString()) found.push(`version ${payload.version}`);
  if (card.getItemCount() !== payload.body.length) found.push("elements were dropped");
  found.push(...leftOut(payload, card.toJSON()));
  for (const message of found) console.log(message);
  wrong += found.length;
}
process.exit(wrong ? 1 : 0);
