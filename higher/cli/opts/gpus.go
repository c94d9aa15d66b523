package opts

import (
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
)

// GPUs reads a request for graphics processors: a number, all, or key=value pairs.
func GPUs(s string) (container.DeviceRequest, error) {
	r := container.DeviceRequest{Options: map[string]string{}, Capabilities: [][]string{{"gpu"}}}
	fields, err := csv.NewReader(strings.NewReader(s)).Read()
	if err != nil {
		return r, err
	}
	seen := map[string]bool{}
	for _, f := range fields {
		k, v, has := strings.Cut(f, "=")
		if !has {
			k, v = "count", f
		}
		if seen[k] {
			return r, fmt.Errorf("gpu request key '%s' can be specified only once", k)
		}
		seen[k] = true
		if err := gpuField(&r, k, v, f); err != nil {
			return r, err
		}
	}
	if !seen["count"] && r.DeviceIDs == nil {
		r.Count = 1
	}
	return r, nil
}

func gpuField(r *container.DeviceRequest, k, v, field string) (err error) {
	switch k {
	case "driver":
		r.Driver = v
	case "count":
		r.Count, err = gpuCount(v)
	case "device":
		r.DeviceIDs = strings.Split(v, ",")
	case "capabilities":
		r.Capabilities = [][]string{append(strings.Split(v, ","), "gpu")}
	case "options":
		pairs, err := csv.NewReader(strings.NewReader(v)).Read()
		if err != nil {
			return fmt.Errorf("failed to read gpu options: %w", err)
		}
		r.Options = Pairs(pairs)
	default:
		return fmt.Errorf("unexpected key '%s' in '%s'", k, field)
	}
	return err
}

func gpuCount(s string) (int, error) {
	if s == "all" {
		return -1, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		var ne *strconv.NumError
		if errors.As(err, &ne) {
			err = ne.Err
		}
		return 0, fmt.Errorf(`invalid count (%s): value must be either "all" or an integer: %w`, s, err)
	}
	return n, nil
}
