package changes

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	image "github.com/moby/docker-image-spec/specs-go/v1"
)

func TestApply(t *testing.T) {
	tests := []struct {
		name, lines, want string
	}{
		{"exec form", `CMD ["a","b c"]`, `{"Cmd":["a","b c"]}`},
		{"shell form", `ENTRYPOINT run $X`, `{"Entrypoint":["/bin/sh","-c","run $X"]}`},
		{"env replaces", "ENV A=1 B=2\nenv A=3", `{"Env":["A=3","B=2"]}`},
		{"variables", "ENV A=1\nENV B=$A${C:-2}", `{"Env":["A=1","B=12"]}`},
		{"old env", "ENV A one two", `{"Env":["A=one two"]}`},
		{"ports", "EXPOSE 80 90-91/udp", `{"ExposedPorts":{"80/tcp":{},"90/udp":{},"91/udp":{}}}`},
		{"label", `LABEL a.b="c d" e=f`, `{"Labels":{"a.b":"c d","e":"f"}}`},
		{"volumes", `VOLUME ["/a", "/b"]`, `{"Volumes":{"/a":{},"/b":{}}}`},
		{"workdir", "WORKDIR /a\nWORKDIR b/../c", `{"WorkingDir":"/a/c"}`},
		{"user and signal", "USER 1:2\nSTOPSIGNAL SIGQUIT", `{"User":"1:2","StopSignal":"SIGQUIT"}`},
		{"onbuild", "ONBUILD RUN x", `{"OnBuild":["RUN x"]}`},
		{"health", "HEALTHCHECK --interval=5s --retries=2 CMD true", `{"Healthcheck":{"Test":["CMD-SHELL","true"],"Interval":5000000000,"Retries":2}}`},
		{"no health", "HEALTHCHECK NONE", `{"Healthcheck":{"Test":["NONE"]}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c image.DockerOCIImageConfig
			if err := Apply(&c, strings.Split(tt.lines, "\n")); err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	for _, line := range []string{"RUN x", "FROM y", "COPY a b", "nonsense", "EXPOSE x", "ENV", "HEALTHCHECK x"} {
		c := image.DockerOCIImageConfig{}
		c.Env = []string{"A=1"}
		err := Apply(&c, []string{"ENV A=2", line})
		if !errdefs.IsInvalidArgument(err) {
			t.Errorf("%s: got %v, want an invalid argument", line, err)
		}
		if c.Env[0] != "A=1" {
			t.Errorf("%s: the config was changed", line)
		}
	}
}

func FuzzApply(f *testing.F) {
	f.Add("ENV A=1\nCMD [\"x\"]")
	f.Add("HEALTHCHECK --interval=1s CMD x")
	f.Add("EXPOSE 1-9/sctp")
	f.Fuzz(func(_ *testing.T, line string) {
		c := image.DockerOCIImageConfig{}
		_ = Apply(&c, []string{line})
	})
}
