package container

import (
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"time"
)

// logAttrs are what each entry of a log carries along: labels and variables that the options name, and a tag.
func logAttrs(r *Record) (map[string]string, error) {
	options, attrs := r.HostConfig.LogConfig.Config, map[string]string{}
	env := map[string]string{}
	for _, e := range r.Config.Env {
		if key, value, ok := strings.Cut(e, "="); ok {
			env[key] = value
		}
	}
	for _, source := range []struct {
		option string
		values map[string]string
	}{{"labels", r.Config.Labels}, {"env", env}} {
		if err := pick(attrs, source.values, options[source.option], options[source.option+"-regex"]); err != nil {
			return nil, err
		}
	}
	if tag := options["tag"]; tag != "" {
		text, err := expandTag(tag, r)
		if err != nil {
			return nil, err
		}
		attrs["tag"] = text
	}
	if len(attrs) == 0 {
		return nil, nil
	}
	return attrs, nil
}

// pick takes those of values that are named, with commas, or match.
func pick(into, values map[string]string, names, pattern string) error {
	for _, name := range strings.Split(names, ",") {
		if v, ok := values[name]; ok {
			into[name] = v
		}
	}
	if pattern == "" {
		return nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return invalidf("failed to set log opts: %v", err)
	}
	for name, v := range values {
		if re.MatchString(name) {
			into[name] = v
		}
	}
	return nil
}

// tagFacts is what a tag's template can name.
type tagFacts struct {
	FullID, ImageFullID, ImageName, DaemonName string
	ContainerCreated                           time.Time
	ContainerLabels                            map[string]string
	name, command                              string
}

// ID is the short id.
func (f tagFacts) ID() string { return short(f.FullID) }

// ImageID is the image's, short.
func (f tagFacts) ImageID() string { return short(f.ImageFullID) }

// Name is the container's.
func (f tagFacts) Name() string { return f.name }

// Command is what it runs.
func (f tagFacts) Command() string { return f.command }

// expandTag fills in a tag (--log-opt tag=).
func expandTag(tag string, r *Record) (string, error) {
	t, err := template.New("log-tag").Parse(tag)
	if err != nil {
		return "", invalidf("failed to set log opts: %v", err)
	}
	var out strings.Builder
	err = t.Execute(&out, tagFacts{
		FullID: r.ID, ImageFullID: r.Image.String(), ImageName: r.Config.Image, DaemonName: "docker",
		ContainerCreated: r.Created, ContainerLabels: r.Config.Labels, name: r.Name,
		command: strings.Join(append([]string{r.Path}, r.Args...), " "),
	})
	if err != nil {
		return "", invalidf("failed to set log opts: %v", err)
	}
	return out.String(), nil
}

// command is what a container runs, as `docker ps` shows it.
func (r *Record) command() string {
	var b strings.Builder
	b.WriteString(r.Path)
	for _, a := range r.Args {
		if strings.Contains(a, " ") {
			a = fmt.Sprintf("'%s'", a)
		}
		b.WriteString(" " + a)
	}
	return b.String()
}
