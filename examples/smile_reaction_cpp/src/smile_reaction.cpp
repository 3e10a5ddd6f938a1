// Copyright 2026 emotion_perception maintainers
// SPDX-License-Identifier: Apache-2.0

#include "emotion_perception/msg/emotion_array.hpp"
#include "rclcpp/rclcpp.hpp"
#include "rclcpp_components/register_node_macro.hpp"
#include "smile_reaction_cpp/smile_tracker.hpp"
#include "std_msgs/msg/string.hpp"

namespace smile_reaction_cpp
{

/// Publishes a text on `smiles` when a smile has lasted a second, and when it has ended.
class SmileReaction : public rclcpp::Node
{
public:
  explicit SmileReaction(const rclcpp::NodeOptions & options)
  : Node("smile_reaction", options), publisher_(create_publisher<std_msgs::msg::String>("smiles", 10))
  {
    subscription_ = create_subscription<emotion_perception::msg::EmotionArray>(
      "emotions", 5, [this](const emotion_perception::msg::EmotionArray & message) {
        for (const auto & event : tracker_.update(message)) {
          react(event);
        }
      });
  }

private:
  /// Publishes the text: replace this by what your robot does.
  void react(const std::string & event)
  {
    RCLCPP_INFO(get_logger(), "%s", event.c_str());
    std_msgs::msg::String text;
    text.data = event;
    publisher_->publish(text);
  }

  SmileTracker tracker_;
  rclcpp::Publisher<std_msgs::msg::String>::SharedPtr publisher_;
  rclcpp::Subscription<emotion_perception::msg::EmotionArray>::SharedPtr subscription_;
};

}  // namespace smile_reaction_cpp

RCLCPP_COMPONENTS_REGISTER_NODE(smile_reaction_cpp::SmileReaction)
