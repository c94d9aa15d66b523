package plan

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestClonesTwice(t *testing.T) {
	type namespaces = []specs.LinuxNamespace
	for name, c := range map[string]struct {
		namespaces namespaces
		want       bool
	}{
		"none":                     {nil, false},
		"new":                      {namespaces{{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}}, false},
		"user":                     {namespaces{{Type: specs.PIDNamespace}, {Type: specs.UserNamespace}}, true},
		"joined":                   {namespaces{{Type: specs.PIDNamespace, Path: "/p"}}, true},
		"joined, another":          {namespaces{{Type: specs.PIDNamespace}, {Type: specs.NetworkNamespace, Path: "/p"}}, true},
		"user, none for processes": {namespaces{{Type: specs.UserNamespace}}, false},
	} {
		config := &specs.Spec{Linux: &specs.Linux{Namespaces: c.namespaces}}
		if got := ClonesTwice(config); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if ClonesTwice(&specs.Spec{}) {
		t.Error("without linux")
	}
}
