package opts

import (
	"errors"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
)

// Restart reads a restart policy: NAME[:COUNT].
func Restart(s string) (container.RestartPolicy, error) {
	p := container.RestartPolicy{}
	if s == "" {
		return p, nil
	}
	name, count, ok := strings.Cut(s, ":")
	if ok && name == "" {
		return p, errors.New("invalid restart policy format: no policy provided before colon")
	}
	p.Name = container.RestartPolicyMode(name)
	if count != "" {
		n, err := strconv.Atoi(count)
		if err != nil {
			return container.RestartPolicy{}, errors.New("invalid restart policy format: maximum retry count must be an integer")
		}
		p.MaximumRetryCount = n
	}
	return p, nil
}
