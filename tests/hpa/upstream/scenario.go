// Package upstream drives the HorizontalPodAutoscaler controller of Kubernetes through scenario files and writes down what it answered.
package upstream

import (
	"encoding/json"
)

// The scenario format, field by field. A pointer or an absent slice is a key that is not there.

type Scenario struct {
	Format     int             `json:"format"`
	Name       string          `json:"name"`
	Kind       string          `json:"kind"`
	About      string          `json:"about,omitempty"`
	Controller *Controller     `json:"controller,omitempty"`
	HPA        json.RawMessage `json:"hpa"`
	Initial    Initial         `json:"initial"`
	Ticks      []Tick          `json:"ticks"`
}

type Controller struct {
	Tolerance              *float64 `json:"tolerance,omitempty"`
	DownscaleStabilization *int64   `json:"downscale_stabilization_s,omitempty"`
	CPUInitialization      *int64   `json:"cpu_initialization_period_s,omitempty"`
	InitialReadinessDelay  *int64   `json:"initial_readiness_delay_s,omitempty"`
	ConfigurableTolerance  *bool    `json:"configurable_tolerance,omitempty"`
	PodLevelResources      *bool    `json:"pod_level_resources,omitempty"`
	LegacyScaleUpFactor    *float64 `json:"legacy_scale_up_factor,omitempty"`
}

type Scale struct {
	SpecReplicas   *int32  `json:"spec_replicas,omitempty"`
	StatusReplicas *int32  `json:"status_replicas,omitempty"`
	Selector       *string `json:"selector,omitempty"`
}

type Initial struct {
	Scale           Scale             `json:"scale"`
	Status          *InitialStatus    `json:"status,omitempty"`
	Recommendations *[]Recommendation `json:"recommendations,omitempty"`
	ScaleUpEvents   []ScaleEvent      `json:"scale_up_events,omitempty"`
	ScaleDownEvents []ScaleEvent      `json:"scale_down_events,omitempty"`
	OtherHPAs       []OtherHPA        `json:"other_hpas,omitempty"`
}

type InitialStatus struct {
	CurrentReplicas int32           `json:"current_replicas,omitempty"`
	DesiredReplicas int32           `json:"desired_replicas,omitempty"`
	LastScaleTime   *int64          `json:"last_scale_time_s,omitempty"`
	CurrentMetrics  []MetricNumbers `json:"current_metrics,omitempty"`
	Conditions      [][4]any        `json:"conditions,omitempty"` // type, status, reason, transition_s
}

type MetricNumbers struct {
	Utilization  *int32 `json:"utilization,omitempty"`
	AverageValue *int64 `json:"average_value_milli,omitempty"`
	Value        *int64 `json:"value_milli,omitempty"`
}

type Recommendation struct {
	Replicas int32 `json:"replicas"`
	Time     int64 `json:"time_s"`
}

type ScaleEvent struct {
	Change   int32 `json:"change"`
	Time     int64 `json:"time_s"`
	Outdated bool  `json:"outdated,omitempty"`
}

type OtherHPA struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Selector  string `json:"selector"`
}

type Tick struct {
	Now              int64           `json:"now_s"`
	Restart          bool            `json:"restart,omitempty"`
	HPASpec          json.RawMessage `json:"hpa_spec,omitempty"`
	OtherHPAs        *[]OtherHPA     `json:"other_hpas,omitempty"`
	Scale            *Scale          `json:"scale,omitempty"`
	ScaleGetError    string          `json:"scale_get_error,omitempty"`
	ScaleUpdateError string          `json:"scale_update_error,omitempty"`
	Pods             *[]Pod          `json:"pods,omitempty"`
	Metrics          *[]Answer       `json:"metrics,omitempty"`
	Expect           Expect          `json:"expect"`
}

type Amounts struct {
	CPUMilli    *int64 `json:"cpu_milli,omitempty"`
	MemoryBytes *int64 `json:"memory_bytes,omitempty"`
}

type Container struct {
	Name          string   `json:"name"`
	Requests      *Amounts `json:"requests,omitempty"`
	Usage         *Amounts `json:"usage,omitempty"`
	RestartPolicy string   `json:"restart_policy,omitempty"`
}

type Pod struct {
	Name           string             `json:"name"`
	Namespace      string             `json:"namespace,omitempty"`
	Labels         *map[string]string `json:"labels,omitempty"`
	Phase          string             `json:"phase,omitempty"`
	Ready          *string            `json:"ready,omitempty"`
	ReadySince     int64              `json:"ready_since_s,omitempty"`
	StartTime      *int64             `json:"start_time_s,omitempty"`
	Deleted        bool               `json:"deleted,omitempty"`
	Containers     []Container        `json:"containers,omitempty"`
	InitContainers []Container        `json:"init_containers,omitempty"`
	PodRequests    *Amounts           `json:"pod_requests,omitempty"`
}

type Sample struct {
	Pod        string       `json:"pod"`
	ValueMilli *int64       `json:"value_milli,omitempty"`
	Timestamp  *int64       `json:"timestamp_s,omitempty"`
	Window     *int64       `json:"window_s,omitempty"`
	Containers *[]Container `json:"containers,omitempty"`
}

type Answer struct {
	Error       string    `json:"error,omitempty"`
	Pods        *[]Sample `json:"pods,omitempty"`
	ValueMilli  *int64    `json:"value_milli,omitempty"`
	ValuesMilli *[]int64  `json:"values_milli,omitempty"`
}

type Groups struct {
	Ready   int      `json:"ready"`
	Unready []string `json:"unready"`
	Missing []string `json:"missing"`
	Ignored []string `json:"ignored"`
}

type Proposal struct {
	Error    bool   `json:"error,omitempty"`
	Replicas *int32 `json:"replicas,omitempty"`
	MetricNumbers
	Groups *Groups `json:"groups,omitempty"`
}

type Status struct {
	CurrentReplicas int32  `json:"current_replicas"`
	DesiredReplicas int32  `json:"desired_replicas"`
	LastScaleTime   *int64 `json:"last_scale_time_s"`
}

type Expect struct {
	DesiredReplicas *int32               `json:"desired_replicas,omitempty"`
	Rescaled        *bool                `json:"rescaled,omitempty"`
	Proposals       *[]Proposal          `json:"proposals,omitempty"`
	MetricReplicas  *int32               `json:"metric_replicas,omitempty"`
	MetricName      *string              `json:"metric_name,omitempty"`
	Stabilized      *int32               `json:"stabilized_replicas,omitempty"`
	Conditions      map[string][2]string `json:"conditions,omitempty"`
	Events          *[]string            `json:"events,omitempty"`
	RescaleReason   *string              `json:"rescale_reason,omitempty"`
	Status          *Status              `json:"status,omitempty"`
	StatusWritten   *bool                `json:"status_written,omitempty"`
	Recommendations *[][2]int64          `json:"recommendations,omitempty"`
	ScaleUpEvents   *[][3]any            `json:"scale_up_events,omitempty"`
	ScaleDownEvents *[][3]any            `json:"scale_down_events,omitempty"`
}
