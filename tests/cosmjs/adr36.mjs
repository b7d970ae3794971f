// Signs texts as wallets do (ADR-36), with CosmJS. Facts come as JSON on standard input: {mnemonic, prefix, texts}; for
// each text what a wallet would give goes to standard output, with the bytes that were signed.
import { makeSignDoc, Secp256k1HdWallet, serializeSignDoc } from "@cosmjs/amino";
import { readFileSync } from "node:fs";

const facts = JSON.parse(readFileSync(0, "utf8"));
const wallet = await Secp256k1HdWallet.fromMnemonic(facts.mnemonic, { prefix: facts.prefix });
const [{ address }] = await wallet.getAccounts();
const answers = [];
for (const text of facts.texts) {
  const data = Buffer.from(text, "utf8").toString("base64");
  const message = { type: "sign/MsgSignData", value: { signer: address, data } };
  const document = makeSignDoc([message], { gas: "0", amount: [] }, "", "", 0, 0);
  const { signed, signature } = await wallet.signAmino(address, document);
  answers.push({ signature, bytes: Buffer.from(serializeSignDoc(signed)).toString("utf8") });
}
process.stdout.write(JSON.stringify({ address, answers }) + "\n");
