package flags_test

import (
	"reflect"
	"slices"
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
		{"dashes end flags", "-d -- -b x", values{detach: true}, "-b x"},
		{"value like a flag", "-b -d id", values{bundle: "-d"}, "id"},
		{"help", "-h", values{help: true}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkParse(t, flags.Parse, tt.args, tt.want, tt.rest)
			checkParse(t, flags.ParseLeading, tt.args, tt.want, tt.rest)
		})
	}
}

func checkParse(t *testing.T, parse func([]flags.Flag, []string) ([]string, error), args string, want values, rest string) {
	t.Helper()
	var got values
	gotRest, err := parse(table(&got), strings.Fields(args))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) || strings.Join(gotRest, " ") != rest {
		t.Errorf("got %+v, rest %q; want %+v, rest %q", got, gotRest, want, rest)
	}
}

// TestParsePositions has flags around and behind positional arguments.
func TestParsePositions(t *testing.T) {
	for _, tt := range []struct {
		args          string
		among         values
		positional    string
		leading       values
		afterLeadings string
	}{
		{"id -d", values{detach: true}, "id", values{}, "id -d"},
		{"id --bundle /b KILL -d", values{bundle: "/b", detach: true}, "id KILL", values{}, "id --bundle /b KILL -d"},
		{"-d id ls --bundle x", values{detach: true, bundle: "x"}, "id ls", values{detach: true}, "id ls --bundle x"},
		{"id -- -d -- x", values{}, "id -d -- x", values{}, "id -- -d -- x"},
		{"-d - -b x", values{detach: true, bundle: "x"}, "-", values{detach: true}, "- -b x"},
		{"id -b -- -d", values{bundle: "--", detach: true}, "id", values{}, "id -b -- -d"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			checkParse(t, flags.Parse, tt.args, tt.among, tt.positional)
			checkParse(t, flags.ParseLeading, tt.args, tt.leading, tt.afterLeadings)
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ args, want string }{
		{"--bundel x", "cannot use --bundel: no such flag, did you mean --bundle?"},
		{"--pre=3", "cannot use --pre: no such flag, did you mean --preserve-fds?"},
		{"-z", "cannot use -z: no such flag"},
		{"-=x", "cannot use -: no such flag"},
		{"--bundle", "cannot use --bundle: it needs a value (DIR)"},
		{"--preserve-fds x", `cannot use --preserve-fds "x": not a whole number`},
		{"--preserve-fds -1", `cannot use --preserve-fds "-1": not a whole number`},
		{"--detach=maybe", "cannot use --detach=maybe: want true or false"},
		{"-f xml", `cannot use --format "xml": want table or json`},
	}
	for _, tt := range tests {
		var v values
		if _, err := flags.ParseLeading(table(&v), strings.Fields(tt.args)); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.args, err, tt.want)
		}
		if _, err := flags.Parse(table(&v), strings.Fields("id "+tt.args)); err == nil || err.Error() != tt.want {
			t.Errorf("id %s: got %v, want %s", tt.args, err, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("--bundle=x -d -- id")
	f.Add("-= --= - -e")
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Fields(line)
		var v values
		rest, err := flags.ParseLeading(table(&v), args)
		if err == nil && !slices.Equal(rest, args[len(args)-len(rest):]) {
			t.Errorf("%q ends in %q", args, rest)
		}
		positional, err := flags.Parse(table(&v), args)
		if err == nil && len(positional) > len(args) {
			t.Errorf("%q grew to %q", args, positional)
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

// A hidden flag is taken, and offered to nobody.
func TestHidden(t *testing.T) {
	var old string
	table := []flags.Flag{{Name: "kernel-memory", Arg: "SIZE", Value: &old, Hidden: true}, {Name: "memory", Arg: "SIZE", Value: new(string)}}
	if _, err := flags.Parse(table, []string{"--kernel-memory", "5"}); err != nil || old != "5" {
		t.Errorf("got %q and %v", old, err)
	}
	if shown := flags.Shown(table); len(shown) != 1 || shown[0].Name != "memory" {
		t.Errorf("shown: %v", shown)
	}
	if _, err := flags.Parse(table, []string{"--kernel-memor"}); err == nil || strings.Contains(err.Error(), "kernel-memory") {
		t.Errorf("a mistyped hidden flag: %v", err)
	}
}
