// Reads cards from a JSON file and says what Microsoft's own library of Adaptive Cards finds wrong with them.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { AdaptiveCard, SerializationContext, Versions } = createRequire(import.meta.url)("adaptivecards/dist/adaptivecards.js");

let wrong = 0;
for (const payload of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const context = new SerializationContext(Versions.v1_5);
  const card = new AdaptiveCard();
  card.parse(payload, context);
  const found = [];
  for (let i = 0; i < context.eventCount; i++) found.push(context.getEventAt(i).message);
  for (const event of card.validateProperties().validationEvents) found.push(event.message);
  if (card.getItemCount() !== payload.body.length) found.push("elements were dropped");
  // What the library wrote back has everything that it understood: a member it does not know is gone.
  const back = JSON.stringify(card.toJSON());
  for (const word of ["RichTextBlock", "TextRun", "heading"]) if (!back.includes(word)) found.push(`no ${word}`);
  for (const message of found) console.log(message);
  wrong += found.length;
}
process.exit(wrong ? 1 : 0);
