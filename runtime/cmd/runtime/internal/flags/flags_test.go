package flags_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
)

type values struct {
	bundle, format string
	detach, help   bool
	fds            int
	env            []string
}

func table(v *values) []flags.Flag {
	return []flags.Flag{
		{Name: "bundle", Short: "b", Arg: "DIR", Value: &v.bundle},
		{Name: "format", Short: "f", Arg: "FORMAT", Choices: []string{"table", "json"}, Value: &v.format},
		{Name: "detach", Short: "d", Value: &v.detach},
		{Name: "preserve-fds", Arg: "N", Value: &v.fds},
		{Name: "env", Short: "e", Arg: "KEY=VALUE", Value: &v.env},
		flags.Help(&v.help),
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		name string
		args string
		want values
		rest string
	}{
		{"nothing", "", values{}, ""},
		{"long", "--bundle /b id", values{bundle: "/b"}, "id"},
		{"one dash", "-bundle /b id", values{bundle: "/b"}, "id"},
		{"equals", "--bundle=/b=c id", values{bundle: "/b=c"}, "id"},
		{"short", "-b /b -d id", values{bundle: "/b", detach: true}, "id"},
		{"short equals", "-b=/b id", values{bundle: "/b"}, "id"},
		{"empty value", "--bundle= id", values{}, "id"},
		{"bool off", "-d --detach=false id", values{}, "id"},
		{"repeat", "-e A=1 --env B=2 -env=C= id", values{env: []string{"A=1", "B=2", "C="}}, "id"},
		{"number", "--preserve-fds 3 id", values{fds: 3}, "id"},
		{"stops at positional", "-d id ls -l --bundle x", values{detach: true}, "id ls -l --bundle x"},
		{"dashes end flags", "-d -- -b x", values{detach: true}, "-b x"},
		{"dash is positional", "-d - -b", values{detach: true}, "- -b"},
		{"value like a flag", "-b -d id", values{bundle: "-d"}, "id"},
		{"help", "-h", values{help: true}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got values
			rest, err := flags.Parse(table(&got), strings.Fields(tt.args))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) || strings.Join(rest, " ") != tt.rest {
				t.Errorf("got %+v, rest %q; want %+v, rest %q", got, rest, tt.want, tt.rest)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ args, want string }{
		{"--bundel x", "cannot use --bundel: no such flag, did you mean --bundle?"},
		{"--pre=3", "cannot use --pre: no such flag, did you mean --preserve-fds?"},
		{"-z", "cannot use -z: no such flag"},
		{"--bundle", "cannot use --bundle: it needs a value (DIR)"},
		{"--preserve-fds x", `cannot use --preserve-fds "x": not a whole number`},
		{"--preserve-fds -1", `cannot use --preserve-fds "-1": not a whole number`},
		{"--detach=maybe", "cannot use --detach=maybe: want true or false"},
		{"-f xml", `cannot use --format "xml": want table or json`},
	}
	for _, tt := range tests {
		var v values
		if _, err := flags.Parse(table(&v), strings.Fields(tt.args)); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.args, err, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("--bundle=x -d -- id")
	f.Add("-= --= - -e")
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Fields(line)
		var v values
		rest, err := flags.Parse(table(&v), args)
		if err == nil && len(rest) > len(args) {
			t.Errorf("%q grew to %q", args, rest)
		}
	})
}

func TestNearest(t *testing.T) {
	words := []string{"create", "start", "state", "delete"}
	for word, want := range map[string]string{"craete": "create", "strat": "", "stat": "state", "x": "", "del": "delete", "stae": "state"} {
		if got := flags.Nearest(word, words); got != want && want != "" {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
