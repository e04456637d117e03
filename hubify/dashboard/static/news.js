// What is new between two looks at the hub, in words. Pure: data in, news out.
//
// Invariant: a look that shows the same says nothing; what was there at the first look is not new.

import { percent } from "./format.js";

const CAUSES = {
  improvement_threshold: "enough ask for the same",
  manual_request: "a maintainer asks for it",
  confidence_decline: "the stable version broke",
  high_failure_rate: "the stable version fails too often",
  error_pattern: "the same error came again and again",
  platform_gap: "one platform fell behind",
};
const LONGEST_QUOTE = 120; // characters of a suggestion

/** What one look sees: skills by name, what evolves (`evolution:overview`), decisions newest first. */
export function look(skills, overview, decisions) {
  const byId = (all) => new Map(all.map((one) => [one.evolutionId, one]));
  return {
    skills: new Map(skills.map((skill) => [skill.name, skill])),
    trials: byId(overview.trials),
    drafts: byId(overview.drafts),
    requests: new Map(overview.requests.map((request) => [request.groupId, request])),
    decisions: new Map(decisions.map((decision) => [decision._id, decision])),
  };
}

/** News as `{kind, skill, text, tone, matters}`; `matters` is for what is worth saying aloud. */
export function newsBetween(before, after, begunAt) {
  return [
    ...skillNews(before, after, begunAt),
    ...requestNews(before.requests, after.requests),
    ...draftNews(before, after),
    ...trialNews(before, after),
    ...decisionNews(before.decisions, after.decisions),
  ];
}

function skillNews(before, after, begunAt) {
  const onTrial = new Set([...before.trials.values()].map((one) => `${one.skillName} ${one.version}`));
  const news = [];
  for (const [name, skill] of after.skills) {
    const known = before.skills.get(name);
    if (known === undefined) {
      const isNew = skill._creationTime > begunAt; // others merely climb into the page
      if (isNew) news.push({ kind: "new", skill: name, text: "was published", tone: "good", matters: true });
    } else if (skill.version !== known.version) {
      if (onTrial.has(`${name} ${skill.version}`)) continue; // told as the end of its trial
      const text = `version ${skill.version} is the stable one now`;
      news.push({ kind: "version", skill: name, text, tone: "quiet", matters: true });
    } else if (skill.alert && skill.alert.alertId !== known.alert?.alertId) {
      news.push({ kind: "alert", skill: name, text: skill.alert.message, tone: "bad", matters: true });
    } else if (skill.confidence !== known.confidence) {
      news.push({ kind: "confidence", skill: name, from: known.confidence, to: skill.confidence });
    }
  }
  return news;
}

function requestNews(before, after) {
  const newest = Math.max(0, ...[...before.values()].map((one) => one.lastSeen));
  return [...after]
    .filter(([id, one]) => one.lastSeen > newest || (before.has(id) && before.get(id).agentCount < one.agentCount))
    .map(([, one]) => ({
      kind: "asked", skill: one.skillName, tone: "quiet", matters: false,
      text: `asked for: ${cut(one.suggestion)}${one.missing ? ` (${one.missing})` : ""}`,
    }));
}

function draftNews(before, after) {
  return [...after.drafts]
    .filter(([id]) => !before.drafts.has(id) && !before.trials.has(id))
    .map(([, one]) => ({
      kind: "draft", skill: one.skillName, tone: "trial", matters: true,
      text: `${CAUSES[one.trigger] ?? CAUSES.improvement_threshold}: a new version is being made`,
    }));
}

function trialNews(before, after) {
  const news = [];
  for (const [id, is] of after.trials) {
    const one = before.trials.has(id) ? step(before.trials.get(id), is) : begun(is);
    if (one !== null) news.push({ kind: one.kind, skill: is.skillName, tone: "trial", matters: true, text: one.text });
  }
  for (const [id, was] of before.trials) {
    if (!after.trials.has(id)) news.push({ skill: was.skillName, matters: true, ...ended(was, after.skills) });
  }
  return news;
}

const shareOf = (trial) => `${percent(trial.traffic / 100)} of the runs`;

function begun(trial) {
  return { kind: "trial", text: `version ${trial.version} goes on trial with ${shareOf(trial)}` };
}

function step(was, is) {
  if (is.traffic === was.traffic) return null;
  const verb = is.traffic > was.traffic ? "goes on with" : "is held up at";
  return { kind: "stage", text: `the trial of ${is.version} ${verb} ${shareOf(is)}` };
}

/** How a trial ended, as far as the list of skills tells: not every skill stands in it. */
function ended({ version, skillName }, skills) {
  const stable = skills.get(skillName)?.version;
  if (stable === undefined) return { kind: "ended", tone: "quiet", text: `the trial of ${version} is over` };
  return version === stable
    ? { kind: "promoted", tone: "good", text: `version ${version} was promoted: it is the stable one now` }
    : { kind: "ended", tone: "bad", text: `the trial of ${version} ended; ${stable} stays the stable one` };
}

function cut(text) {
  return text.length <= LONGEST_QUOTE ? text : `${text.slice(0, LONGEST_QUOTE - 1)}…`;
}

function decisionNews(before, after) {
  const newest = Math.max(0, ...[...before.values()].map((one) => one.decidedAt));
  return [...after.values()]
    .filter((one) => !before.has(one._id) && one.decidedAt >= newest)
    .reverse()
    .map((one) => {
      const blocking = one.findings.find((finding) => finding.blocks);
      const why = blocking ? `: ${blocking.message}` : "";
      return {
        kind: "gateway", skill: one.skill, tone: one.verdict === "accepted" ? "good" : "bad",
        text: `the gateway ${one.verdict} version ${one.version}${why}`, matters: false,
      };
    });
}
