// From a text to ids, and from ids to what they look like.
import { Tokenizer } from "@huggingface/tokenizers";

// The sign that stands for each byte in tokenizer.json: those that Latin-1 prints for themselves, others from U+0100 on
const isPrinted = (byte) => (byte >= 33 && byte < 127) || (byte >= 161 && byte < 173) || byte >= 174;
const bytes = [...Array(256).keys()];
const unprinted = bytes.filter((byte) => !isPrinted(byte));
const BYTE_OF = new Map(bytes.map((byte) => [isPrinted(byte) ? byte : 256 + unprinted.indexOf(byte), byte]));

/** A tokenizer from the content of a tokenizer.json, which is to be a byte-level BPE, as GPT-2 has it. */
export function makeTokenizer(json) {
  const theirs = new Tokenizer(json, {});
  const special = new Map((json.added_tokens ?? []).map(({ content, id }) => [id, content]));
  const signs = new Map(Object.entries(json.model.vocab).map(([sign, id]) => [id, sign]));

  /** The ids of a text. Special tokens, such as <|endoftext|>, are taken whole, and none is added. */
  const encode = (text) => theirs.encode(text, { add_special_tokens: false }).ids;

  /** The bytes of one id; none when it stands for nothing. */
  function bytesOf(id) {
    if (special.has(id)) return new TextEncoder().encode(special.get(id));
    return Uint8Array.from(signs.get(id) ?? "", (sign) => BYTE_OF.get(sign.codePointAt(0)));
  }

  /** The text of ids: bytes first, since a character may be spread over several; what is no character is U+FFFD. */
  const decode = (ids) =>
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(ids.flatMap((id) => [...bytesOf(id)])));

  /** One id as a text in which a byte that is no character, or only part of one, is written as \xe2. */
  function text(id) {
    const all = bytesOf(id);
    let written = "";
    for (let at = 0; at < all.length;) {
      const [sign, size] = character(all, at);
      written += sign;
      at += size;
    }
    return written;
  }

  return { encode, decode, text };
}

// The character that begins at a byte, and how many bytes it has
function character(all, at) {
  for (const size of [1, 2, 3, 4]) {
    try {
      return [new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(all.slice(at, at + size)), size];
    } catch {
      // it is longer, or no character
    }
  }
  return [`\\x${all[at].toString(16).padStart(2, "0")}`, 1];
}
