// Package doctor looks for what would keep containers from running, before anything runs: on this host in general,
// and for one bundle. It changes nothing.
package doctor

import (
	"slices"
)

// Status says how bad a finding is.
type Status string

// The statuses. A problem keeps containers, or the bundle, from running; a warning may do so, or some will miss it.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Problem Status = "problem"
)

// Finding is one thing that was looked at.
type Finding struct {
	Status  Status `json:"status"`
	Subject string `json:"subject"` // part of the host, or config field
	Text    string `json:"text"`
	Advice  string `json:"advice,omitempty"`
}

// Healthy says whether none of the findings is a problem.
func Healthy(list []Finding) bool {
	return !slices.ContainsFunc(list, func(f Finding) bool { return f.Status == Problem })
}

// report collects findings.
type report []Finding

func (r *report) add(s Status, subject, text, advice string) {
	*r = append(*r, Finding{s, subject, text, advice})
}

func (r *report) ok(subject, text string)              { r.add(OK, subject, text, "") }
func (r *report) warn(subject, text, advice string)    { r.add(Warning, subject, text, advice) }
func (r *report) problem(subject, text, advice string) { r.add(Problem, subject, text, advice) }
