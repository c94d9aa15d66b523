package logfile

import (
	"fmt"
	"net/url"
	"strconv"
)

// The drivers.
const (
	JSON  = "json-file"
	Local = "local"
	None  = "none"
)

// Options say where a log is written, and how much of it is kept.
type Options struct {
	Driver   string
	Path     string
	MaxSize  int64  // bytes after which a new file is begun; 0 is never
	MaxFiles int    // the one that is written included
	Compress bool   // those that are not written any more
	Ring     int    // bytes that may wait while the writer is not held up, and beyond which entries are lost; 0 has it held up
	Attrs    string // JSON object that each entry of json-file carries along; "" is none
}

// Values are the options but for the path, as the query of a URI.
func (o *Options) Values() url.Values {
	v := url.Values{"driver": {o.Driver}}
	set := func(key, value string, is bool) {
		if is {
			v.Set(key, value)
		}
	}
	set("max-size", strconv.FormatInt(o.MaxSize, 10), o.MaxSize > 0)
	set("max-file", strconv.Itoa(o.MaxFiles), o.MaxFiles > 0)
	set("compress", "true", o.Compress)
	set("ring", strconv.Itoa(o.Ring), o.Ring > 0)
	set("attrs", o.Attrs, o.Attrs != "")
	return v
}

// Parse reads what Values has made. Keys that it does not know are the caller's.
func Parse(path string, v url.Values) (Options, error) {
	o := Options{Driver: v.Get("driver"), Path: path, Compress: v.Get("compress") == "true", Attrs: v.Get("attrs")}
	for key, take := range map[string]func(int64){
		"max-size": func(n int64) { o.MaxSize = n },
		"max-file": func(n int64) { o.MaxFiles = int(n) },
		"ring":     func(n int64) { o.Ring = int(n) },
	} {
		text := v.Get(key)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return o, fmt.Errorf("cannot use %s %q of the log", key, text)
		}
		take(n)
	}
	switch o.Driver {
	case JSON, Local, None:
		return o, nil
	}
	return o, fmt.Errorf("cannot use the log driver %q: there are json-file, local and none", o.Driver)
}
