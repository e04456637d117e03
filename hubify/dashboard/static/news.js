// What is new between two looks at the hub, in words. Pure: data in, news out.
//
// Invariant: a look that shows the same says nothing; what was there at the first look is not new.

import { percent } from "./format.js";

/** What one look sees: skills and the state of their evolution by name, decisions newest first. */
export function look(skills, trials, decisions) {
  return {
    skills: new Map(skills.map((skill) => [skill.name, skill])),
    trials: new Map([...trials].filter(([, status]) => status !== undefined)),
    decisions: new Map(decisions.map((decision) => [decision._id, decision])),
  };
}

/** News as `{kind, skill, text, tone, matters}`; `matters` is for what is worth saying aloud. */
export function newsBetween(before, after, begunAt) {
  return [
    ...skillNews(before.skills, after.skills, begunAt),
    ...trialNews(before.trials, after.trials),
    ...decisionNews(before.decisions, after.decisions),
  ];
}

function skillNews(before, after, begunAt) {
  const news = [];
  for (const [name, skill] of after) {
    const known = before.get(name);
    if (known === undefined) {
      const isNew = skill._creationTime > begunAt; // others merely climb into the page
      if (isNew) news.push({ kind: "new", skill: name, text: "was published", tone: "good", matters: true });
    } else if (skill.version === known.version && skill.confidence !== known.confidence) {
      news.push({ kind: "confidence", skill: name, from: known.confidence, to: skill.confidence });
    }
  }
  return news;
}

function trialNews(before, after) {
  const news = [];
  for (const [name, status] of after) {
    const known = before.get(name);
    if (known === undefined) continue;
    for (const one of changesOf(known, status)) news.push({ skill: name, matters: true, ...one });
  }
  return news;
}

function changesOf(known, status) {
  const [was, is] = [known.canary, status.canary];
  if (is && !was) {
    return [{ kind: "trial", tone: "trial", text: `version ${is.version} goes on trial with ${percent(is.traffic / 100)} of the runs` }];
  }
  if (is && is.traffic !== was.traffic) {
    const text = is.traffic > was.traffic
      ? `the trial of ${is.version} goes on with ${percent(is.traffic / 100)} of the runs`
      : `the trial of ${is.version} is held up at ${percent(is.traffic / 100)} of the runs`;
    return [{ kind: "stage", tone: "trial", text }];
  }
  if (was && !is) return [ended(was.version, status.currentVersion)];
  if (status.pendingEvolution && !known.pendingEvolution) {
    return [{ kind: "draft", tone: "trial", text: "enough ask for the same: a new version is being made" }];
  }
  if (status.currentVersion !== known.currentVersion) {
    return [{ kind: "version", tone: "quiet", text: `version ${status.currentVersion} is the stable one now` }];
  }
  if (!is && !status.pendingEvolution && status.reason !== known.reason) {
    return [{ kind: "asked", tone: "quiet", text: status.reason, matters: false }];
  }
  return [];
}

function ended(version, stable) {
  return version === stable
    ? { kind: "promoted", tone: "good", text: `version ${version} was promoted: it is the stable one now` }
    : { kind: "ended", tone: "bad", text: `the trial of ${version} ended; ${stable} stays the stable one` };
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
