package config

import "slices"

// Proxy is what containers are told of proxies when they reach a daemon.
type Proxy struct {
	HTTP  string `json:"httpProxy"`
	HTTPS string `json:"httpsProxy"`
	No    string `json:"noProxy"`
	FTP   string `json:"ftpProxy"`
	All   string `json:"allProxy"`
}

// ProxyEnv returns env with the proxies that the file has for the daemon at host, or for all of them ("default"); what env
// sets already stays.
func (f *File) ProxyEnv(host string, env []string) []string {
	all := map[string]Proxy{}
	if !f.get("proxies", &all) {
		return env
	}
	p, ok := all[host]
	if !ok {
		p = all["default"]
	}
	has := map[string]bool{}
	for _, e := range env {
		for i, r := range e {
			if r == '=' {
				has[e[:i]] = true
				break
			}
		}
	}
	var more []string
	for _, v := range []struct{ upper, lower, value string }{
		{"HTTP_PROXY", "http_proxy", p.HTTP}, {"HTTPS_PROXY", "https_proxy", p.HTTPS}, {"NO_PROXY", "no_proxy", p.No},
		{"FTP_PROXY", "ftp_proxy", p.FTP}, {"ALL_PROXY", "all_proxy", p.All},
	} {
		for _, name := range []string{v.upper, v.lower} {
			if v.value != "" && !has[name] {
				more = append(more, name+"="+v.value)
			}
		}
	}
	slices.Sort(more)
	return append(env, more...)
}
