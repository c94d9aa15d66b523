package task

import (
	"testing"

	"github.com/containerd/errdefs"

	"github.com/dhow-containers/dhow/shim/logfile"
)

func TestParseDetachKeys(t *testing.T) {
	for in, want := range map[string]string{
		"": "\x10\x11", "ctrl-p,ctrl-q": "\x10\x11", "a": "a", "ctrl-a,B,ctrl-Z": "\x01B\x1a", "ctrl-@": "\x00", "ctrl-[,ctrl-_": "\x1b\x1f", "^,-": "^-",
	} {
		if got, err := ParseDetachKeys(in); err != nil || string(got) != want {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"ab", ",", "ctrl-", "ctrl-aa", "ctrl-1", "a,,b", "alt-x"} {
		if _, err := ParseDetachKeys(in); !errdefs.IsInvalidArgument(err) {
			t.Errorf("%q: got %v", in, err)
		}
	}
}

func TestLogOptions(t *testing.T) {
	type opts = map[string]string
	for _, test := range []struct {
		c    LogConfig
		want logfile.Options
	}{
		{LogConfig{}, logfile.Options{Driver: "json-file", MaxSize: 20e6, MaxFiles: 5}},
		{LogConfig{Driver: "local"}, logfile.Options{Driver: "local", MaxSize: 20e6, MaxFiles: 5, Compress: true}},
		{LogConfig{Driver: "local", Options: opts{"max-file": "1"}}, logfile.Options{Driver: "local", MaxSize: 20e6, MaxFiles: 1}},
		{LogConfig{Driver: "none", Path: "/x", Options: opts{"any": "x"}}, logfile.Options{Driver: "none"}},
		{LogConfig{Options: opts{"max-size": "10m", "max-file": "3", "compress": "true", "labels": "x"}, Attrs: opts{"a": "<b>"}},
			logfile.Options{Driver: "json-file", MaxSize: 10e6, MaxFiles: 3, Compress: true, Attrs: `{"a":"\u003cb\u003e"}`}},
		{LogConfig{Options: opts{"max-size": "-1", "mode": "non-blocking"}}, logfile.Options{Driver: "json-file", MaxFiles: 5, Ring: 1 << 20}},
		{LogConfig{Options: opts{"mode": "non-blocking", "max-buffer-size": "4m"}}, logfile.Options{Driver: "json-file", MaxSize: 20e6, MaxFiles: 5, Ring: 4 << 20}},
	} {
		if got, err := test.c.options(); err != nil || got != test.want {
			t.Errorf("%+v: got %+v, %v", test.c, got, err)
		}
	}
	for want, c := range map[string]LogConfig{
		"logger: no log driver named 'x' is registered":                                {Driver: "x"},
		"unknown log opt 'x' for json-file log driver":                                 {Options: opts{"x": "1"}},
		"max-size must be a positive number":                                           {Options: opts{"max-size": "0"}},
		"invalid value for max-size: invalid size: 'x'":                                {Options: opts{"max-size": "x"}},
		"max-file cannot be less than 1":                                               {Options: opts{"max-file": "0"}},
		"compress cannot be true when max-file is less than 2 or max-size is not set":  {Options: opts{"compress": "true", "max-file": "1"}},
		"logger: logging mode not supported: x":                                        {Options: opts{"mode": "x"}},
		"logger: max-buffer-size option is only supported with 'mode=non-blocking'":    {Options: opts{"max-buffer-size": "1m"}},
		"error parsing option max-buffer-size: x":                                      {Options: opts{"max-buffer-size": "x", "mode": "non-blocking"}},
		"invalid value for compress: strconv.ParseBool: parsing \"x\": invalid syntax": {Options: opts{"compress": "x"}},
		"invalid value for max-file: strconv.Atoi: parsing \"many\": invalid syntax":   {Options: opts{"max-file": "many"}},
	} {
		if err := CheckLog(c); !errdefs.IsInvalidArgument(err) || err.Error() != want {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}
