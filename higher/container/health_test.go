package container

import (
	"strings"
	"testing"
	"time"

	types "github.com/moby/moby/api/types/container"
)

func TestProbe(t *testing.T) {
	for want, c := range map[string]types.Config{
		"":             {},
		" ":            {Healthcheck: &types.HealthConfig{Test: []string{"NONE"}}},
		"a|b":          {Healthcheck: &types.HealthConfig{Test: []string{"CMD", "a", "b"}}},
		"/bin/sh|-c|x": {Healthcheck: &types.HealthConfig{Test: []string{"CMD-SHELL", "x"}}},
		"/sh|-e|x":     {Healthcheck: &types.HealthConfig{Test: []string{"CMD-SHELL", "x"}}, Shell: []string{"/sh", "-e"}},
	} {
		if got := strings.Join(probe(&c), "|"); got != strings.TrimSpace(want) {
			t.Errorf("%v: %q, want %q", c.Healthcheck, got, want)
		}
	}
}

// Each letter is a check: . succeeds, x fails; a second passes before each.
func TestAssess(t *testing.T) {
	started := time.Unix(1000, 0)
	for _, tt := range []struct {
		name, checks string
		config       types.HealthConfig
		want         types.HealthStatus
		streak       int
	}{
		{"first success", ".", types.HealthConfig{}, types.Healthy, 0},
		{"retries of Docker's default", "xx", types.HealthConfig{}, types.Starting, 2},
		{"that many failures", "xxx", types.HealthConfig{}, types.Unhealthy, 3},
		{"healthy until then", ".xx", types.HealthConfig{}, types.Healthy, 2},
		{"a success between", ".xx.xx", types.HealthConfig{}, types.Healthy, 2},
		{"own retries", "x", types.HealthConfig{Retries: 1}, types.Unhealthy, 1},
		{"recovers", "xxxx.", types.HealthConfig{}, types.Healthy, 0},
		{"start period", "xxxx", types.HealthConfig{StartPeriod: 5 * time.Second}, types.Starting, 0},
		{"after the start period", "xxxxxxx", types.HealthConfig{StartPeriod: 5 * time.Second}, types.Unhealthy, 3},
		{"healthy in the start period", ".xxx", types.HealthConfig{StartPeriod: time.Minute}, types.Unhealthy, 3},
	} {
		h := &types.Health{Status: types.Starting}
		for i, c := range tt.checks {
			r := &types.HealthcheckResult{Start: started.Add(time.Duration(i+1) * time.Second)}
			if c == 'x' {
				r.ExitCode = 1
			}
			h = assess(h, r, &tt.config, started)
		}
		if h.Status != tt.want || h.FailingStreak != tt.streak || len(h.Log) != min(len(tt.checks), checksKept) {
			t.Errorf("%s: %s after %d failures, %d in the log; want %s, %d", tt.name, h.Status, h.FailingStreak, len(h.Log), tt.want, tt.streak)
		}
	}
}

func TestNextCheck(t *testing.T) {
	started := time.Unix(1000, 0)
	for _, tt := range []struct {
		name   string
		config types.HealthConfig
		status types.HealthStatus
		after  time.Duration
		want   time.Duration
	}{
		{"Docker's default", types.HealthConfig{}, types.Starting, 0, 30 * time.Second},
		{"own interval", types.HealthConfig{Interval: time.Second}, types.Healthy, 0, time.Second},
		{"start period", types.HealthConfig{StartPeriod: time.Minute}, types.Starting, 0, 5 * time.Second},
		{"own start interval", types.HealthConfig{StartPeriod: time.Minute, StartInterval: time.Second}, types.Starting, time.Second, time.Second},
		{"the rest of the start period", types.HealthConfig{StartPeriod: 8 * time.Second}, types.Starting, 6 * time.Second, 2 * time.Second},
		{"healthy in the start period", types.HealthConfig{StartPeriod: time.Minute, Interval: 7 * time.Second}, types.Healthy, 0, 7 * time.Second},
		{"after the start period", types.HealthConfig{StartPeriod: time.Minute, Interval: 7 * time.Second}, types.Starting, time.Hour, 7 * time.Second},
	} {
		r := &Record{Config: &types.Config{Healthcheck: &tt.config}}
		r.StartedAt, r.Health = started, &types.Health{Status: tt.status}
		if got := nextCheck(r, started.Add(tt.after)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestOutputOfChecksIsBounded(t *testing.T) {
	var b limitedBuffer
	for range 3 {
		if n, err := b.Write([]byte(strings.Repeat("x", 2000))); n != 2000 || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := b.String(); len(got) != checkOutputMax+3 || !strings.HasSuffix(got, "x...") {
		t.Errorf("%d bytes", len(got))
	}
}
