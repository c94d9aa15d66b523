package opts

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

const blank = " \t"

// Env takes a variable without a value from dhow's own environment, if it is there.
func Env(s string) (string, error) {
	k, _, has := strings.Cut(s, "=")
	if k == "" {
		return "", fmt.Errorf("invalid environment variable: %s", s)
	}
	if v, there := os.LookupEnv(k); !has && there {
		return k + "=" + v, nil
	}
	return s, nil
}

// Label checks the key of a label.
func Label(s string) (string, error) {
	k, _, _ := strings.Cut(s, "=")
	k = strings.TrimLeft(k, blank)
	if k == "" {
		return "", fmt.Errorf("invalid label '%s': empty name", s)
	}
	if strings.ContainsAny(k, blank) {
		return "", fmt.Errorf("label '%s' contains whitespaces", k)
	}
	return s, nil
}

// IP checks an address.
func IP(s string) (string, error) {
	if ip := net.ParseIP(strings.TrimSpace(s)); ip != nil {
		return ip.String(), nil
	}
	return "", fmt.Errorf("IP address is not correctly formatted: %s", s)
}

// SearchDomain checks a domain for resolv.conf; a dot is none.
func SearchDomain(s string) (string, error) {
	s = strings.Trim(s, " ")
	if s == "." {
		return s, nil
	}
	name := strings.TrimSuffix(strings.TrimSpace(s), ".")
	letters := false
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || strings.Trim(label, "-") != label {
			return "", fmt.Errorf("%s is not a valid domain", s)
		}
		for _, r := range label {
			letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
			letters = letters || letter
			if !letter && (r < '0' || r > '9') && r != '-' {
				return "", fmt.Errorf("%s is not a valid domain", s)
			}
		}
	}
	if !letters || len(name) >= 255 {
		return "", fmt.Errorf("%s is not a valid domain", s)
	}
	return name, nil
}

// Stream checks the name of a standard stream.
func Stream(s string) (string, error) {
	switch l := strings.ToLower(s); l {
	case "stdin", "stdout", "stderr":
		return l, nil
	}
	return s, errors.New("valid streams are STDIN, STDOUT and STDERR")
}

// Link checks CONTAINER[:ALIAS].
func Link(s string) (string, error) {
	if s == "" {
		return "", errors.New("empty string specified for links")
	}
	if strings.Count(s, ":") > 1 {
		return "", errors.New("bad format for links: " + s)
	}
	return s, nil
}

// sysctls are those that a namespace has of its own.
var sysctls = []string{"kernel.msgmax=", "kernel.msgmnb=", "kernel.msgmni=", "kernel.sem=", "kernel.shmall=", "kernel.shmmax=", "kernel.shmmni=", "kernel.shm_rmid_forced=", "net.", "fs.mqueue."}

// Sysctl checks that the kernel has this parameter for each container.
func Sysctl(s string) (string, error) {
	if strings.Contains(s, "=") {
		for _, p := range sysctls {
			if strings.HasPrefix(s, p) {
				return s, nil
			}
		}
	}
	return "", fmt.Errorf("sysctl '%s' is not allowed", s)
}

// Host checks NAME:IP or NAME=IP of --add-host, and returns it with a colon. host-gateway is for the daemon to fill in.
func Host(s string) (string, error) {
	name, ip, ok := strings.Cut(s, "=")
	if !ok {
		name, ip, ok = strings.Cut(s, ":")
	}
	if !ok || name == "" {
		return "", fmt.Errorf("bad format for add-host: %q", s)
	}
	if strings.HasPrefix(ip, "[") && strings.HasSuffix(ip, "]") {
		ip = ip[1 : len(ip)-1]
	}
	if ip != "host-gateway" && net.ParseIP(strings.TrimSpace(ip)) == nil {
		return "", fmt.Errorf("invalid IP address in add-host: %q", ip)
	}
	return name + ":" + ip, nil
}

// CgroupRule checks TYPE MAJOR:MINOR MODE.
func CgroupRule(s string) (string, error) {
	bad := fmt.Errorf("invalid device cgroup format '%s'", s)
	f := strings.Split(s, " ")
	if len(f) != 3 || len(f[0]) != 1 || !strings.Contains("acb", f[0]) || f[2] == "" || len(f[2]) > 3 || strings.Trim(f[2], "rwm") != "" {
		return s, bad
	}
	major, minor, ok := strings.Cut(f[1], ":")
	if !ok || !numberOrAny(major) || !numberOrAny(minor) {
		return s, bad
	}
	return s, nil
}

func numberOrAny(s string) bool {
	return s == "*" || s != "" && strings.Trim(s, "0123456789") == ""
}
