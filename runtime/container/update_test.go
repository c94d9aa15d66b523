package container

import (
	"reflect"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/spec"
)

func resources(t *testing.T, text string) *specs.LinuxResources {
	t.Helper()
	r, err := spec.DecodeResources([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestMergeResources has what there was, what an update says, what is then to be changed, and the new record.
func TestMergeResources(t *testing.T) {
	for name, tt := range map[string]struct{ old, update, change, record string }{
		"nothing":             {`{}`, `{}`, `{}`, `{}`},
		"zero is unset":       {`{"memory":{"limit":5}}`, `{"memory":{"limit":0,"reservation":0},"cpu":{"shares":0,"cpus":""}}`, `{"memory":{},"cpu":{}}`, `{"memory":{"limit":5},"cpu":{}}`},
		"zero pids":           {`{"pids":{"limit":5}}`, `{"pids":{"limit":0}}`, `{"pids":{"limit":0}}`, `{"pids":{"limit":0}}`},
		"others stay":         {`{"pids":{"limit":5},"cpu":{"shares":7}}`, `{"cpu":{"quota":9000}}`, `{"cpu":{"quota":9000}}`, `{"pids":{"limit":5},"cpu":{"shares":7,"quota":9000}}`},
		"swap with limit":     {`{"memory":{"limit":5,"swap":9}}`, `{"memory":{"swap":8}}`, `{"memory":{"limit":5,"swap":8}}`, `{"memory":{"limit":5,"swap":8}}`},
		"limit with swap":     {`{"memory":{"limit":5,"swap":9}}`, `{"memory":{"limit":6}}`, `{"memory":{"limit":6,"swap":9}}`, `{"memory":{"limit":6,"swap":9}}`},
		"limit without swap":  {`{"memory":{"limit":5,"swap":0}}`, `{"memory":{"limit":6}}`, `{"memory":{"limit":6}}`, `{"memory":{"limit":6,"swap":0}}`},
		"no limit":            {`{"memory":{"limit":5,"swap":9}}`, `{"memory":{"limit":-1}}`, `{"memory":{"limit":-1,"swap":-1}}`, `{"memory":{"limit":-1,"swap":-1}}`},
		"check before update": {`{"memory":{"limit":5,"checkBeforeUpdate":true}}`, `{"memory":{"reservation":4}}`, `{"memory":{"reservation":4,"checkBeforeUpdate":true}}`, `{"memory":{"limit":5,"reservation":4,"checkBeforeUpdate":true}}`},
		"period with quota":   {`{"cpu":{"quota":9000}}`, `{"cpu":{"period":50000}}`, `{"cpu":{"quota":9000,"period":50000}}`, `{"cpu":{"quota":9000,"period":50000}}`},
		"lists are replaced":  {`{"blockIO":{"weightDevice":[{"major":8,"minor":0,"weight":10,"leafWeight":11}]}}`, `{"blockIO":{"weightDevice":[{"major":8,"minor":1,"weight":12}]}}`, `{"blockIO":{"weightDevice":[{"major":8,"minor":1,"weight":12}]}}`, `{"blockIO":{"weightDevice":[{"major":8,"minor":1,"weight":12}]}}`},
		"maps are added to":   {`{"unified":{"a.b":"1","c.d":"2"}}`, `{"unified":{"c.d":"3"}}`, `{"unified":{"c.d":"3"}}`, `{"unified":{"a.b":"1","c.d":"3"}}`},
		"large numbers":       {`{"memory":{"limit":9223372036854775807}}`, `{}`, `{}`, `{"memory":{"limit":9223372036854775807}}`},
	} {
		t.Run(name, func(t *testing.T) {
			old, update := resources(t, tt.old), resources(t, tt.update)
			change := given(update)
			complete(change, old)
			if !reflect.DeepEqual(change, resources(t, tt.change)) {
				t.Errorf("the change is %+v", change)
			}
			text, err := merged(old, change)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(resources(t, string(text)), resources(t, tt.record)) {
				t.Errorf("the record is %s", text)
			}
			if !reflect.DeepEqual(old, resources(t, tt.old)) || !reflect.DeepEqual(update, resources(t, tt.update)) {
				t.Error("an input was changed")
			}
		})
	}
}
