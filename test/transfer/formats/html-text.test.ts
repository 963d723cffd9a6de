import fc from "fast-check";
import { expect, test } from "vitest";
import { htmlToText } from "../../../src/transfer/formats/html-text.ts";

test("paragraphs, headings, lists, tables and code stay lines", () => {
  expect(
    htmlToText(
      "<h2>Steps</h2>\n<p>First <b>dig</b>,\n   then <i>sow</i>.</p><p>Done.<br>Really.</p>" +
        "<ol><li><p>Dig</p></li><li>Sow<ul><li>peas</li><li>beans</li></ul></li></ol>" +
        "<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>" +
        "<pre><code>\nif (a &lt; b) {\n  <span>dig</span>()\n\n\n}\n</code></pre><div>one</div><div>two</div>",
    ),
  ).toBe(
    [
      "Steps",
      "",
      "First dig, then sow.",
      "",
      "Done.",
      "Really.",
      "",
      "1. Dig",
      "2. Sow",
      "  - peas",
      "  - beans",
      "",
      "A | B",
      "1 | 2",
      "",
      "if (a < b) {",
      "  dig()",
      "",
      "",
      "}",
      "",
      "one",
      "two",
    ].join("\n"),
  );
});

test("scripts, styles, comments and attributes go with what is in them", () => {
  expect(
    htmlToText(
      `a<script>alert("<p>")</script>b<STYLE>.x{}</STYLE >c<!-- <p>d</p> -->e<img alt="f > g" onerror='h'>i`,
    ),
  ).toBe("abcei");
  expect(htmlToText("kept<script>never closed <p>gone")).toBe("kept");
  expect(htmlToText("<scr<script>ipt>x")).not.toContain("<script");
});

test("entities are decoded once, and unknown ones stay", () => {
  expect(
    htmlToText("&lt;b&gt; &amp;lt; &#39;&#x1F331;&quot; a&nbsp;b &eacute;&hellip; &what; &"),
  ).toBe("<b> &lt; '🌱\" a\u00a0b é… &what; &");
  expect(htmlToText("&#0;&#xD800;&#x110000;&#9999999;")).toBe("\uFFFD".repeat(4));
});

test("what only looks like markup is text", () => {
  expect(htmlToText("1 < 2, 3 <4> 5, <")).toBe("1 < 2, 3 <4> 5, <");
  expect(htmlToText('see <a href="cut off')).toBe('see <a href="cut off');
});

test("any text is read, well-formed and without NUL", () => {
  const piece = fc.constantFrom(
    "<p>",
    "</p>",
    "<li>",
    "<ul>",
    "</ul>",
    "<pre>",
    "</pre>",
    "<br>",
    "<td>",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "<a href='",
    "'",
    '"',
    "<",
    ">",
    "&amp;",
    "&#",
    " ",
    "\n",
    "word",
    "\ud800",
    "\0",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 60 }), (pieces) => {
      const text = htmlToText(pieces.join(""));
      expect(text.isWellFormed()).toBe(true);
      expect(text).not.toContain("\0");
      expect(text).toBe(text.trimEnd());
    }),
  );
});

test("text without markup comes out as it went in", () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z0-9.,!?ä]{1,9}$/)), (words) => {
      expect(htmlToText(words.join(" "))).toBe(words.join(" "));
    }),
  );
});

test("a million of anything is read in linear time", { timeout: 30_000 }, () => {
  const hostile = [
    "<",
    "<a ",
    "<a b='",
    "<a =",
    "<a b=\"'",
    "<!--",
    "<script>",
    "</",
    "&",
    "&#1",
    "<ul><li>x",
    "<pre>\n",
    "<br>",
    "\u00a0",
    " ",
    "<td>",
    "<p",
    "</script",
    "=\"'>",
  ];
  for (const piece of hostile) {
    const html = piece.repeat(Math.ceil(1_000_000 / piece.length));
    const started = performance.now();
    htmlToText(html);
    // Quadratic time would be hours.
    expect(performance.now() - started, piece).toBeLessThan(5_000);
  }
});
