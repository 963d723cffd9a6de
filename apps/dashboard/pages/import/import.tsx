import { onlineManager } from "@tanstack/react-query";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { Page as Frame } from "../../shell/page.tsx";
import { ChooseStep } from "./choose-step.tsx";
import { filesDropped } from "./dropped-files.ts";
import { Earlier } from "./earlier.tsx";
import { FoundStep } from "./found-step.tsx";
import { openImporter, isBetween, type ImportStep } from "./importer.ts";
import { ListStep } from "./list-step.tsx";
import { PasteCard } from "./paste-card.tsx";
import { sendPastedList } from "./pasted-list.ts";
import { ReportStep } from "./report-step.tsx";
import { RunningElsewhere } from "./running-elsewhere.tsx";
import { RunStep } from "./run-step.tsx";
import { StoppedStep } from "./stopped-step.tsx";
import { SurveyStep } from "./survey-step.tsx";
import { trustedScript } from "./trusted-script.ts";
import { Unfinished } from "./unfinished.tsx";
import "../../styles/import.css";

const READER = "/assets/import/reader.js";

/** Not the page's own: an import goes on while another page of the dashboard is looked at. */
const importer = openImporter(
  () => new Worker(trustedScript(READER), { type: "module", name: "import" }),
  sendPastedList,
);
importer.setNetwork(onlineManager.isOnline());
onlineManager.subscribe((isOnline) => importer.setNetwork(isOnline));

/** Files and lists of other assistants: read on this computer, compared, and saved. */
export function Page() {
  const step = useSyncExternalStore(importer.subscribe, importer.step);
  const place = useRef<HTMLDivElement>(null);
  const shown = useRef(step.name);
  useEffect(() => {
    if (shown.current === step.name) return;
    shown.current = step.name;
    // What was in focus is gone; from the heading a keyboard or a screen reader goes on.
    place.current?.querySelector("h2")?.focus();
  }, [step.name]);
  useEffect(takeDrops, []);
  const mayBegin = isBetween(step);
  return (
    <Frame
      title="Import"
      lead="Bring what other assistants know about you, and what you talked about with them."
    >
      {step.name === "choose" ? <RunningElsewhere own={importer.ownJobs()} /> : null}
      <div ref={place}>
        <Step step={step} />
      </div>
      {mayBegin ? <Unfinished own={importer.ownJobs()} /> : null}
      {step.name === "choose" ? <PasteCard importer={importer} problem={step.listProblem} /> : null}
      {mayBegin ? <Earlier /> : null}
    </Frame>
  );
}

function Step({ step }: { readonly step: ImportStep }) {
  switch (step.name) {
    case "choose":
      return <ChooseStep importer={importer} problem={step.problem} />;
    case "list":
      return <ListStep dryRun={step.dryRun} />;
    case "survey":
      return <SurveyStep importer={importer} found={step.found} />;
    case "found":
      return <FoundStep importer={importer} survey={step.survey} />;
    case "run":
      return <RunStep importer={importer} step={step} />;
    case "stopped":
      return <StoppedStep importer={importer} step={step} />;
    case "report":
      return <ReportStep importer={importer} step={step} />;
  }
}

/** Anywhere on the page: a drop that misses would have the browser open the file. */
function takeDrops(): () => void {
  const ended = new AbortController();
  const { signal } = ended;
  addEventListener(
    "dragover",
    (event) => {
      const files = filesOf(event);
      // While an import is under way the pointer says that nothing is taken.
      if (files !== null && !isBetween(importer.step())) files.dropEffect = "none";
    },
    { signal },
  );
  addEventListener(
    "drop",
    (event) => {
      const files = filesOf(event);
      if (files !== null) void filesDropped(files).then(importer.choose, importer.refuse);
    },
    { signal },
  );
  return () => ended.abort();
}

/** Null: text that is dragged, which fields take by themselves. */
function filesOf(event: DragEvent): DataTransfer | null {
  const { dataTransfer } = event;
  if (dataTransfer === null || !dataTransfer.types.includes("Files")) return null;
  event.preventDefault();
  return dataTransfer;
}
