/** The import page where scripts run: takes the place of the forms that the server put into `#import`. */
import { render, useEffect, useRef, useSyncExternalStore } from "hono/jsx/dom";
import { ChooseStep } from "./choose-step.tsx";
import { filesDropped } from "./dropped-files.ts";
import { FoundStep } from "./found-step.tsx";
import { openImporter, type Importer } from "./importer.ts";
import { ReportStep } from "./report-step.tsx";
import { RunStep } from "./run-step.tsx";
import { StoppedStep } from "./stopped-step.tsx";
import { trustedScript } from "./trusted-script.ts";
import { SurveyStep } from "./survey-step.tsx";

const READER = "/assets/import/reader.js";

const place = document.getElementById("import");
if (place !== null) {
  const importer = openImporter(
    () => new Worker(trustedScript(READER), { type: "module", name: "import" }),
  );
  // Anywhere on the page: a drop that misses would have the browser open the file.
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer !== null) void filesDropped(event.dataTransfer).then(importer.choose);
  });
  place.replaceChildren();
  render(<ImportPage importer={importer} place={place} />, place);
}

function ImportPage({
  importer,
  place,
}: {
  readonly importer: Importer;
  readonly place: HTMLElement;
}) {
  const step = useSyncExternalStore(importer.subscribe, importer.step);
  const shown = useRef(step.name);
  useEffect(() => {
    if (shown.current === step.name) return;
    shown.current = step.name;
    // What was in focus is gone; from the heading a keyboard or a screen reader goes on.
    place.querySelector("h1")?.focus();
  }, [step.name]);
  switch (step.name) {
    case "choose":
      return <ChooseStep importer={importer} problem={step.problem} />;
    case "survey":
      return <SurveyStep importer={importer} />;
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
