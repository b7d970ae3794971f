// Sends a deposit with a memo and reads balances, all through CosmJS. Facts come as JSON on standard input:
// {rpc, mnemonic, prefix, denom, gasPrice, recipient, amount, memo}; what came of it goes to standard output.
import { DirectSecp256k1HdWallet } from "@cosmjs/proto-signing";
import { GasPrice, SigningStargateClient } from "@cosmjs/stargate";
import { readFileSync } from "node:fs";

const facts = JSON.parse(readFileSync(0, "utf8"));
const wallet = await DirectSecp256k1HdWallet.fromMnemonic(facts.mnemonic, { prefix: facts.prefix });
const [{ address }] = await wallet.getAccounts();
const client = await SigningStargateClient.connectWithSigner(facts.rpc, wallet, {
  gasPrice: GasPrice.fromString(facts.gasPrice),
  broadcastPollIntervalMs: 100,
  broadcastTimeoutMs: 20_000,
});
const before = await client.getBalance(facts.recipient, facts.denom);
const sent = await client.sendTokens(
  address,
  facts.recipient,
  [{ denom: facts.denom, amount: facts.amount }],
  "auto",
  facts.memo,
);
const found = await client.getTx(sent.transactionHash);
const block = await client.getBlock(sent.height);
const answer = {
  address,
  chainId: await client.getChainId(),
  code: sent.code,
  height: sent.height,
  hash: sent.transactionHash,
  foundHeight: found.height,
  blockTxs: block.txs.length,
  before: before.amount,
  after: (await client.getBalance(facts.recipient, facts.denom)).amount,
  all: await client.getAllBalances(facts.recipient),
  sequence: (await client.getSequence(address)).sequence,
  unknown: await client.getAccount(facts.unknown),
  events: sent.events.map((event) => event.type),
};
client.disconnect();
process.stdout.write(JSON.stringify(answer) + "\n");
